# The image of every pipeline step and every Beam worker.
#
#   docker build --build-arg DEVICE=gpu --tag registry.example/tfx-recommenders:1 .
#
# DEVICE=cpu (default) is plain Debian, DEVICE=gpu has the CUDA libraries that TensorFlow 2.15 was
# built with, and the libdevice that XLA compiles with. Both install the locked packages, then the
# project's wheel without its sources.
ARG DEVICE=cpu

FROM python:3.10-slim-bookworm AS cpu

FROM nvidia/cuda:12.2.2-cudnn8-runtime-ubuntu22.04 AS gpu
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3.10 python3.10-venv cuda-nvcc-12-2 \
    && rm -rf /var/lib/apt/lists/* \
    && ln -s /usr/bin/python3.10 /usr/local/bin/python3.10

FROM ${DEVICE} AS packages
RUN python3.10 -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH VIRTUAL_ENV=/opt/venv
WORKDIR /build
COPY requirements.lock .
# Compiled now: a step would otherwise parse all of TFX at every start.
RUN python -m pip install --no-cache-dir --no-deps uv==0.13.9 \
    && uv pip install --no-cache --compile-bytecode --require-hashes --requirements requirements.lock
COPY . .
RUN python setup.py --quiet bdist_wheel \
    && uv pip install --no-cache --compile-bytecode --no-deps dist/*.whl

FROM ${DEVICE}
# Dataflow, Flink and Spark start workers through Beam's boot program; Kubeflow and Vertex name a
# command of their own.
COPY --from=apache/beam_python3.10_sdk:2.65.0 /opt/apache/beam /opt/apache/beam
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /
ENTRYPOINT ["/opt/apache/beam/boot"]
