"""A gRPC service on a port of 127.0.0.1, with every kind of call. Messages are plain bytes: no generated code."""
import sys
import threading
from concurrent import futures

import grpc

STATE = {"deadline": False, "cancelled": threading.Event()}


def unary(request, context):
    context.send_initial_metadata((("before", "first"),))
    context.set_trailing_metadata((("behind", "last"),))
    return b"order " + request


def server_stream(request, context):
    for _ in range(int(request)):
        yield b"x" * 1024


def both(requests, context):
    for request in requests:
        yield request + b"!"


def fails(request, context):
    context.set_trailing_metadata((("behind", "last"),))
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not päid")


def waits(request, context):
    STATE["deadline"] = context.time_remaining() is not None
    gone = threading.Event()
    context.add_callback(lambda: (STATE["cancelled"].set(), gone.set()))
    gone.wait(60)
    return b""


def endless(request, context):
    yield b"begun"
    gone = threading.Event()
    context.add_callback(gone.set)
    gone.wait(60)


def seen(request, context):
    cancelled = STATE["cancelled"].wait(30)
    return b"%d %d" % (STATE["deadline"], cancelled)


server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("corp.Orders", {
    "Unary": grpc.unary_unary_rpc_method_handler(unary),
    "Stream": grpc.unary_stream_rpc_method_handler(server_stream),
    "Both": grpc.stream_stream_rpc_method_handler(both),
    "Fails": grpc.unary_unary_rpc_method_handler(fails),
    "Waits": grpc.unary_unary_rpc_method_handler(waits),
    "Endless": grpc.unary_stream_rpc_method_handler(endless),
    "Seen": grpc.unary_unary_rpc_method_handler(seen),
}),))
server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
server.start()
server.wait_for_termination()
