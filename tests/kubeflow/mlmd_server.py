"""An ML Metadata server on the loopback interface, as the one that a Kubeflow cluster has."""

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
from ml_metadata import MetadataStore, errors
from ml_metadata.proto import metadata_store_pb2, metadata_store_service_pb2

_SERVICE = metadata_store_service_pb2.DESCRIPTOR.services_by_name["MetadataStoreService"]
_STATUS = {status.value[0]: status for status in grpc.StatusCode}


def _handler(store: MetadataStore, method: Any) -> grpc.RpcMethodHandler:
    request_type = getattr(metadata_store_service_pb2, method.input_type.name)
    response_type = getattr(metadata_store_service_pb2, method.output_type.name)

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        response = response_type()
        try:
            store._call(method.name, request, response)
        except errors.StatusError as error:
            context.abort(_STATUS[error.error_code], error.message)
        return response

    return grpc.unary_unary_rpc_method_handler(
        answer, request_type.FromString, response_type.SerializeToString
    )


@contextmanager
def mlmd_server(path: str) -> Iterator[int]:
    """Serves the store in an SQLite file and yields the port of 127.0.0.1 that it listens on."""
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = path
    store = MetadataStore(config)
    # One worker: calls reach SQLite one after the other.
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    handlers = {method.name: _handler(store, method) for method in _SERVICE.methods}
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(_SERVICE.full_name, handlers),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=None).wait()
