"""A gateway of a given binary in front of an app of this process, on loopback, for as long as a `with` lasts."""
import re, resource, shutil, socket, ssl, subprocess, sys, tempfile, threading, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
AT_ONCE = 64
REQUEST = b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: bench/1\r\naccept: */*\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 1024\r\n\r\n" + b"x" * 1024
BIG = b"HTTP/1.1 200 OK\r\ncontent-length: 1048576\r\n\r\n" + b"x" * 1048576

CONFIG = """
[server]
listen = ["127.0.0.1:{clear}"{tls}]
state = "memory"
workers = {workers}
max_connections = 10000

[log]
access = false

[[routes]]
name = "app"
host = "*"
upstream = "http://127.0.0.1:{app}"
access = "public"
keep_idle = 256
"""


def app(listener):
    """Answers every connection in a thread of its own, until the program ends."""
    def serve(connection):
        with connection:
            while head := connection.recv(65536):
                connection.sendall(BIG if head.startswith(b"GET /big") else ANSWER)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificate(folder):
    if not shutil.which("openssl"):
        return None
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


class Gateway:
    """`under` runs it: `valgrind …`, `strace …`."""

    def __init__(self, binary, workers=1, under=()):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        threading.Thread(target=app, args=(listener,), daemon=True).start()
        self.clear, self.tls, self.free, self.app = *(free_port() for _ in range(3)), listener.getsockname()[1]
        pair = certificate(folder)
        tls = f', {{ address = "127.0.0.1:{self.tls}", tls = {{ cert = "{pair[0]}", key = "{pair[1]}" }} }}' if pair else ""
        config = folder / "portcullis.toml"
        config.write_text(CONFIG.format(clear=self.clear, tls=tls, workers=workers, app=self.app))
        self.process = subprocess.Popen([*under, binary, "run", "--config", config], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def wait(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                return socket.create_connection(("127.0.0.1", self.clear)).close()
            except OSError:
                time.sleep(0.02)
        sys.exit("the gateway did not start: run it by hand with `portcullis run` to see why")

    def status(self, field):
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+) kB", text).group(1)) * 1024

    def connect(self, tls):
        stream = socket.create_connection(("127.0.0.1", self.tls if tls else self.clear))
        if not tls:
            return stream
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(stream)


def read(stream):
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += received(stream)
    head, _, body = answer.partition(b"\r\n\r\n")
    rest = int(re.search(rb"content-length: (\d+)", head.lower()).group(1)) - len(body)
    while rest > 0:
        rest -= len(received(stream))


def received(stream):
    return stream.recv(65536) or sys.exit("the gateway closed a connection that had to stay open")


def rounds(gateway, count):
    """So many requests on kept-alive connections, one at a time on each."""
    streams = [gateway.connect(False) for _ in range(AT_ONCE)]
    for _ in range(count // AT_ONCE):
        for stream in streams:
            stream.sendall(REQUEST)
        for stream in streams:
            read(stream)
    for stream in streams:
        stream.close()


def binary():
    """The program that is named, or the release build."""
    named = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    path = Path(named[0]) if named else ROOT / "target/release/portcullis"
    if not path.exists():
        sys.exit(f"{path} is not there: build it with `cargo build --release`")
    return path


def asked(gateway, count, tls=False, request=REQUEST):
    """Connections that each made one request, so many of them at a time."""
    opened = []
    for start in range(0, count, AT_ONCE):
        batch = [gateway.connect(tls) for _ in range(min(AT_ONCE, count - start))]
        for stream in batch:
            stream.sendall(request)
        for stream in batch:
            read(stream)
        opened += batch
    return opened
