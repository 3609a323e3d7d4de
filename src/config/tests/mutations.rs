//! Any file, however spoiled: it loads or is reported on, nothing panics, and no secret is shown.

use proptest::prelude::*;

use super::Machine;
use crate::config::fuzzing::{SECRET as SENTINEL, judge};

/// A good file with much in it.
fn rich() -> String {
    format!(
        r#"# What a file can hold, in many forms.
[server]
listen = ["127.0.0.1:8443", {{ address = "[::1]:8443", proxy_protocol = "any" }}]
public_url = "https://login.corp.example"
trusted_proxies = ["10.0.0.0/8", "2001:db8::/32"]
tls = {{ cert = "tls.crt", key = "tls.key" }}
max_header_bytes = "32KiB"

[admin]
listen = "127.0.0.1:9090"

[providers.corp]
issuer = "https://id.corp.example"
display_name = "Zoë & Söhne"
client_id = "portcullis"
client_secret = {{ env = "SECRET" }}
scopes = ["openid", "groups"]
audiences = ["https://api.corp.example"]
claims = {{ user = "preferred_username", groups = "realm_access.roles" }}
extra_params = {{ hd = "corp.example" }}

[policies.staff]
allow = [{{ provider = "corp", groups = ["staff"] }}, {{ claims = {{ department = ["a", 7, true] }} }}]

[[routes]]
host = "wiki.corp.example"
upstream = ["http://10.0.0.5:8080", "unix:/run/app.sock"]
policy = "staff"
identity = {{ headers = {{ X-User = "user", X-Team = "claim:org.team" }}, assertion = true }}
health = {{ path = "/healthz", interval = "5s" }}
hsts = true

[[routes]]
host = "*.apps.corp.example"
path = "/v1"
upstream = "https://apps.internal"
allow = [{{ scopes = ["orders:read"], methods = ["GET", "HEAD"] }}, {{ networks = ["192.0.2.0/24"], paths = "/v1/x" }}]
limits = [{{ per = "principal", rate = "100/min", burst = 20 }}, {{ per = "header", header = "X-Client", rate = "5/s" }}]
strip_path = true

[routes.request_headers]
set = {{ Authorization = "Basic {SENTINEL}" }}
default = {{ "X-Api-Key" = '{SENTINEL}', X-Other = """{SENTINEL}""" }}
"#
    )
}

#[derive(Clone, Debug)]
enum Change {
    Drop(usize),
    Double(usize),
    Garble(usize, u8),
    Move(usize, usize),
}

fn change(length: usize) -> impl Strategy<Value = (Change, usize)> {
    let at = 0..length;
    let kind = prop_oneof![
        3 => at.clone().prop_map(Change::Drop),
        2 => at.clone().prop_map(Change::Double),
        3 => (at.clone(), any::<u8>()).prop_map(|(at, byte)| Change::Garble(at, byte)),
        2 => (at.clone(), prop::sample::select(b"\"'=[]{},#\n.\\ ".to_vec())).prop_map(|(at, byte)| Change::Garble(at, byte)),
        1 => (at.clone(), at).prop_map(|(from, to)| Change::Move(from, to)),
    ];
    (kind, prop_oneof![4 => Just(1usize), 1 => 1..12usize])
}

fn spoil(bytes: &mut Vec<u8>, change: &Change, length: usize) {
    let end = |at: usize, bytes: &[u8]| (at + length).min(bytes.len());
    match *change {
        Change::Drop(at) if at < bytes.len() => drop(bytes.drain(at..end(at, bytes))),
        Change::Double(at) if at < bytes.len() => {
            let piece = bytes[at..end(at, bytes)].to_vec();
            bytes.splice(at..at, piece);
        }
        Change::Garble(at, byte) if at < bytes.len() => bytes[at] = byte,
        Change::Move(from, to) if from < bytes.len() => {
            let piece: Vec<u8> = bytes.drain(from..end(from, bytes)).collect();
            let to = to.min(bytes.len());
            bytes.splice(to..to, piece);
        }
        Change::Drop(_) | Change::Double(_) | Change::Garble(..) | Change::Move(..) => {}
    }
}

/// Whether a secret may have been moved to where anything else stands: nobody can know it there.
fn moves(changes: &[(Change, usize)]) -> bool {
    changes.iter().any(|(change, _)| matches!(change, Change::Move(..)))
}

#[test]
fn the_file_is_good_before_it_is_spoiled() {
    Machine::furnished(&rich()).settings();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn invariant_15_a_spoiled_file_is_reported_on_and_shows_no_secret(changes in prop::collection::vec(change(rich().len()), 1..4)) {
        let mut bytes = rich().into_bytes();
        changes.iter().for_each(|(change, length)| spoil(&mut bytes, change, *length));
        let mut machine = Machine::furnished("").variable("SECRET", SENTINEL);
        machine.files.insert(super::FILE.into(), bytes.clone());
        judge(&bytes, &machine.load(), !moves(&changes));
    }

    #[test]
    fn invariant_15_a_secret_in_the_file_is_never_shown(changes in prop::collection::vec(change(rich().len()), 0..2)) {
        let text = rich().replace("{ env = \"SECRET\" }", &format!("\"{SENTINEL}\""));
        let mut bytes = text.into_bytes();
        changes.iter().for_each(|(change, length)| spoil(&mut bytes, change, *length));
        let mut machine = Machine::furnished("");
        machine.files.insert(super::FILE.into(), bytes.clone());
        judge(&bytes, &machine.load(), !moves(&changes));
    }
}
