"""Gateways of a given binary with a provider and an app, on loopback, for as long as a `with` lasts; several share a
Redis. Needs Node.js and openssl, and redis-server for several."""
import http.client, json, os, shutil, socket, ssl, subprocess, sys, tempfile, time
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

from gateway import binary, certificate, free_port

HOST, SESSION = "app.measure.localhost", "__Host-portcullis"
PEERS = Path(__file__).resolve().parent / "peers"


def option(name, default):
    """The number of `--name=…`."""
    return next((int(word.split("=")[1]) for word in sys.argv if word.startswith(f"--{name}=")), default)


CONFIG = """
[server]
listen = {{ address = "127.0.0.1:{port}", tls = {{ cert = "{cert}", key = "{key}" }} }}
public_url = "https://{host}"
state = "{folder}/state-{port}.db"
sign_in_limits = []
max_connections = 20000

[admin]
socket = "{folder}/admin-{port}.sock"

[log]
format = "json"
{state}
{more}
[providers.measure]
issuer = "http://127.0.0.1:{provider}"
client_id = "measure"
client_secret = {{ env = "CLIENT_SECRET" }}

[[routes]]
host = "{host}"
upstream = "http://127.0.0.1:{app}"
access = "signed-in"
identity = {{ headers = "x-auth-request" }}
"""
REDIS = """
[state]
redis = "redis://127.0.0.1:{redis}"
key = {{ env = "STATE_KEY" }}
"""


class World:
    """Gateways, what they need, and streams through them, for as long as a `with` lasts."""

    def __init__(self, gateways, token_seconds=3600, provider_ms=0, persistence=(), more=""):
        """`persistence`: options of redis-server; without any it keeps nothing. `more`: tables of the configuration."""
        self.folder = Path(tempfile.mkdtemp())
        self.processes = []
        self.ports = [free_port() for _ in range(gateways)]
        self.provider, self.app, self.redis_port = free_port(), free_port(), free_port()
        self.persistence, self.redis = persistence, None
        self.run("node", PEERS / "provider.mjs", str(self.provider), str(token_seconds), str(provider_ms))
        self.run("node", PEERS / "streams.mjs", "app", str(self.app))
        if gateways > 1:
            self.start_redis()
        for port in [self.provider, self.app]:
            until(lambda: reachable(port))
        cert, key = certificate(self.folder)
        state = REDIS.format(redis=self.redis_port) if gateways > 1 else ""
        for port in self.ports:
            text = CONFIG.format(port=port, cert=cert, key=key, host=HOST, folder=self.folder, state=state, more=more,
                                 provider=self.provider, app=self.app)
            (self.folder / f"portcullis-{port}.toml").write_text(text)
        self.gateways = [self.start(port) for port in self.ports]
        for port, gateway in zip(self.ports, self.gateways):
            until(lambda: reachable(port) or gateway.poll() is not None and sys.exit(self.log(port).read_text()))

    def start(self, port):
        """Runs the gateway of this port."""
        secrets = {"CLIENT_SECRET": "throw-away", "STATE_KEY": "throw-away-" * 5}
        with open(self.log(port), "a") as log:
            return self.run(binary(), "run", "--config", self.folder / f"portcullis-{port}.toml", stderr=log,
                            env={**os.environ, **secrets})

    def start_redis(self):
        options = self.persistence or ("--save", "")
        self.redis = self.run("redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--dir", self.folder,
                              *options, stdout=subprocess.DEVNULL)
        until(lambda: reachable(self.redis_port))

    def run(self, *command, **options):
        self.processes.append(subprocess.Popen(command, **options))
        return self.processes[-1]

    def log(self, port):
        return self.folder / f"log-{port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        shutil.rmtree(self.folder)

    def sign_in(self):
        """The cookie of somebody who has just signed in."""
        cookie, _ = self.try_sign_in(self.ports[0])
        return cookie or sys.exit("nobody could sign in")

    def try_sign_in(self, port):
        """The cookie of somebody who has just signed in at this port's gateway, where that worked, and what the app answered
        them: their name."""
        cookies, url = {}, f"https://{HOST}/"
        for _ in range(8):
            try:
                status, location, set_cookies, body = self.visit(url, cookies, port)
            except (OSError, http.client.HTTPException):
                break
            cookies.update(pair.split(";")[0].split("=", 1) for pair in set_cookies)
            if status == 200:
                return header(cookies), body
            if location is None:
                break
            url = location
        return (header(cookies) if cookies.get(SESSION) else None), None

    def visit(self, url, cookies, port):
        parts, headers = urlsplit(url), {}
        path = f"{parts.path}?{parts.query}"
        connection = http.client.HTTPConnection(parts.netloc)
        if parts.hostname == HOST:
            connection = http.client.HTTPSConnection("127.0.0.1", port, context=any_certificate())
            headers = {"host": HOST, "accept": "text/html", "cookie": header(cookies)}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, answer.headers["location"], answer.headers.get_all("set-cookie") or [], body

    def hold(self, cookies, each):
        """Clients that hold so many streams of each of these people on every gateway, in a process for each core."""
        halves = [cookies[0::2], cookies[1::2]]
        holders = [self.run("node", PEERS / "streams.mjs", "hold", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            text=True) for _ in halves]
        for holder, half in zip(holders, halves):
            order = {"ports": self.ports, "authority": HOST, "cookies": half, "each": each}
            holder.stdin.write(json.dumps(order) + "\n")
            holder.stdin.flush()
        for holder, half in zip(holders, halves):
            wanted = len(half) * each * len(self.ports)
            while json.loads(holder.stdout.readline())["open"] < wanted:
                pass

    def end(self, **whom):
        """Ends sign-ins by the management API; when the call was made."""
        with socket.socket(socket.AF_UNIX) as stream:
            stream.connect(str(self.folder / f"admin-{self.ports[0]}.sock"))
            body = json.dumps({**whom, "reason": "measured"}).encode()
            head = f"POST /api/v1/sessions/end HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n" \
                   f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            at = time.time()
            stream.sendall(head.encode() + body)
            answer = b""
            while part := stream.recv(65536):
                answer += part
        if b" 200 " not in answer.split(b"\r\n")[0]:
            sys.exit(answer.decode())
        return at

    def ended(self):
        """When each stream has ended, by the name of its person and by gateway."""
        for port in self.ports:
            for line in self.log(port).read_text().splitlines():
                entry = json.loads(line)
                if entry.get("message") == "request" and entry.get("path") == "/events":
                    yield entry["user"], port, datetime.fromisoformat(entry["timestamp"]).timestamp()

    def refreshes(self):
        """How many refresh calls the provider has had."""
        return json.load(urlopen(f"http://127.0.0.1:{self.provider}/control/refreshes"))

    def cpu(self):
        """Seconds that the gateways have used."""
        ticks = (Path(f"/proc/{gateway.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13] for gateway in self.gateways)
        return sum(int(tick) for pair in ticks for tick in pair) / os.sysconf("SC_CLK_TCK")


def header(cookies):
    return "; ".join(f"{name}={value}" for name, value in cookies.items() if value)


def any_certificate():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def reachable(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    except OSError:
        return False


def until(holds):
    deadline = time.monotonic() + 60
    while not holds():
        if time.monotonic() > deadline:
            sys.exit("waited in vain for a minute")
        time.sleep(0.02)
