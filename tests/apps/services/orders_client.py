"""One call to the service of orders.py, by `orders_client.py HOST:PORT WHAT`; what came of it, as JSON."""
import json
import os
import sys
import threading

import grpc

PATIENCE = 60  # seconds


def channel(target, token, ca=None):
    return grpc.secure_channel(target, grpc.composite_channel_credentials(
        grpc.ssl_channel_credentials(ca), grpc.access_token_call_credentials(token)))


with open(os.environ["CA"], "rb") as file:
    orders = channel(sys.argv[1], os.environ["TOKEN"], file.read())


def of(metadata, name):
    return next((value for key, value in metadata or () if key == name), None)


def unary():
    answer, call = orders.unary_unary("/corp.Orders/Unary").with_call(b"1", timeout=PATIENCE)
    return {"answer": answer.decode(), "before": of(call.initial_metadata(), "before"), "behind": of(call.trailing_metadata(), "behind")}


def server_stream():
    answers = list(orders.unary_stream("/corp.Orders/Stream")(b"1000", timeout=PATIENCE))
    return {"answers": len(answers), "bytes": sum(map(len, answers))}


def both():
    """Each message is sent when the answer to the one before is there."""
    go_on = threading.Semaphore(1)

    def requests():
        for request in (b"one", b"two", b"three"):
            go_on.acquire()
            yield request

    answers = []
    for answer in orders.stream_stream("/corp.Orders/Both")(requests(), timeout=PATIENCE):
        answers.append(answer.decode())
        go_on.release()
    return {"answers": answers}


def fails():
    try:
        orders.unary_unary("/corp.Orders/Fails")(b"", timeout=PATIENCE)
    except grpc.RpcError as error:
        return {"code": error.code().name, "details": error.details(), "behind": of(error.trailing_metadata(), "behind")}


def told():
    return orders.unary_unary("/corp.Orders/Seen")(b"", timeout=PATIENCE).split()


def deadline():
    try:
        orders.unary_unary("/corp.Orders/Waits")(b"", timeout=1)
    except grpc.RpcError as error:
        return {"code": error.code().name, "seen": told()[0] == b"1"}


def cancel():
    call = orders.unary_stream("/corp.Orders/Endless")(b"", timeout=PATIENCE)
    next(call)
    call.cancel()
    return {"code": call.code().name, "noticed": told()[1] == b"1"}


def open_stream():
    for _ in orders.unary_stream("/corp.Orders/Endless")(b"", timeout=PATIENCE):
        pass


acts = {"unary": unary, "server-stream": server_stream, "both": both, "fails": fails, "deadline": deadline, "cancel": cancel, "open": open_stream}
try:
    print(json.dumps(acts[sys.argv[2]]()))
except grpc.RpcError as error:
    print(json.dumps({"code": error.code().name, "details": error.details()}))
