# The image of every pipeline step and every Beam worker.
#
#   docker build --build-arg DEVICE=gpu --tag registry.example/tfx-recommenders:1 .
#
# DEVICE=cpu has the packages of requirements.lock, and DEVICE=gpu the CUDA wheels of
# requirements-gpu.lock as well. Both are Debian 13 with its own Python, 3.13. The digest of a newer
# base, for BASE, is what `docker buildx imagetools inspect debian:trixie-slim` prints.
ARG BASE=docker.io/library/debian:trixie-20261005-slim@sha256:a29215f6a35e51e22adffa17f89e9d2ef06214e64a2bad10d765c46aea49f11f
# Older buildah and podman do not see this default: give them DEVICE.
ARG DEVICE=cpu

# Beam's boot program, which Dataflow, Flink and Spark start workers through.
FROM ${BASE} AS boot
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates golang-go
WORKDIR /build
COPY requirements.lock .
# GOTOOLCHAIN=auto fetches the Go that Beam asks for; Go's checksum database vouches for both.
RUN version=$(sed -n 's/^apache-beam==\([^ ]*\).*/\1/p' requirements.lock) \
    && CGO_ENABLED=0 GOTOOLCHAIN=auto GOBIN=/build/bin \
        go install "github.com/apache/beam/sdks/v2/python/container@v$version"

FROM ${BASE} AS cpu
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates g++ python3-dev python3-venv \
    && python3 -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /build
COPY requirements.lock .
# What comes as source is built with the setuptools of the lock, and not with whatever is newest.
RUN sed -n '/^setuptools==/,/# via/p' requirements.lock >setuptools.lock \
    && pip install --no-cache-dir --no-deps --require-hashes --requirement setuptools.lock \
    && pip install --no-cache-dir --no-deps --require-hashes --no-build-isolation \
        --requirement requirements.lock

FROM cpu AS gpu
COPY requirements-gpu.lock .
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement requirements-gpu.lock

FROM ${DEVICE} AS packages

FROM packages AS project
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation --prefix /project .

FROM ${BASE}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /tmp tfx
COPY --from=boot /build/bin/container /opt/apache/beam/boot
COPY --from=packages /opt/venv /opt/venv
COPY --from=project /project /opt/venv
# Beam's boot program would otherwise start workers in a new environment, without these packages.
ENV PATH=/opt/venv/bin:$PATH RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1
ARG RUN_AS=10001:10001
USER ${RUN_AS}
# A cluster may run it as a user of its own choice, and the boot program writes a file into the folder
# in which it starts.
ENV HOME=/tmp
WORKDIR /tmp
# Kubeflow and Vertex name a command of their own.
ENTRYPOINT ["/opt/apache/beam/boot"]
