"""A client that knows nothing but an address: it learns every message by reflection."""

import os
from pathlib import Path

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status

PATIENCE = 10  # seconds a call may take; a hashed password is the slowest


class Refused(Exception):
    """A call that was answered with a status that is not OK."""

    def __init__(self, error):
        super().__init__(f"{error.code().name}: {error.details()}")
        self.code, self.message = error.code(), error.details()
        status = rpc_status.from_call(error)
        self._details = list(status.details) if status else []

    @property
    def reason(self):
        """The constant that programs compare."""
        info = self._detail(error_details_pb2.ErrorInfo())
        return info and info.reason

    @property
    def fields(self):
        """The faulty fields, in the order they were named."""
        request = self._detail(error_details_pb2.BadRequest())
        return [violation.field for violation in request.field_violations] if request else []

    @property
    def answer(self):
        """All of it, for comparing two refusals byte by byte."""
        return self.code, self.message, [detail.SerializeToString() for detail in self._details]

    def _detail(self, message):
        for detail in self._details:
            if detail.Unpack(message):
                return message
        return None


class Stranger:
    """Calls any method of the server at `address` by its name."""

    def __init__(self, address):
        if authority := os.environ.get("SERVER_CA"):
            credentials = grpc.ssl_channel_credentials(Path(authority).read_bytes())
            self.channel = grpc.secure_channel(address, credentials)
        else:
            self.channel = grpc.insecure_channel(address)
        self.database = ProtoReflectionDescriptorDatabase(self.channel)
        self.pool = DescriptorPool(self.database)

    def services(self):
        return set(self.database.get_services())

    def call(self, service, method, token=None, metadata=(), **fields):
        """Sends a message with these fields; returns the answer or raises `Refused`."""
        rpc = self.pool.FindServiceByName(service).FindMethodByName(method)
        request = GetMessageClass(rpc.input_type)(**fields)
        stub = self.channel.unary_unary(
            f"/{service}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=GetMessageClass(rpc.output_type).FromString)
        if token is not None:
            metadata = (*metadata, ("authorization", f"Bearer {token}"))
        try:
            return stub(request, metadata=metadata, timeout=PATIENCE)
        except grpc.RpcError as error:
            raise Refused(error) from None

    def close(self):
        self.channel.close()
