//! `[admin]`.

use std::path::PathBuf;

use crate::admin::{AdminSettings, LONGEST_SOCKET_PATH};
use crate::listener::ListenerSettings;
use crate::request::Authority;
use crate::secret::Secret;

use super::Lowering;
use super::value::socket;
use crate::config::diagnostic::Diagnostic;
use crate::config::located::{Located, at};
use crate::config::raw::{Admin, SecretSource};

/// Characters that a token must have at least: nobody guesses 128 bits, as hexadecimal digits.
const SHORTEST_TOKEN: usize = 32;

impl Lowering<'_> {
    pub(super) fn admin(
        &mut self,
        at: Located<'_, Option<Admin>>,
        listeners: &[ListenerSettings],
    ) -> Option<AdminSettings> {
        let admin = at.given()?;
        let address = at!(admin.listen).given().and_then(|at| {
            let address = self.keep(socket(at))?;
            if listeners.iter().any(|listener| listener.address == address) {
                self.fault(
                    Diagnostic::new(at.place, "the admin listener has the address of a public one")
                        .expected("expected an address that only operators can reach"),
                );
            }
            Some(address)
        });
        let hosts =
            at!(admin.hosts).all().into_iter().filter_map(|host| self.keep(admin_host(host))).collect();
        let socket = at!(admin.socket).given().and_then(|at| {
            let path = self.socket_path(at);
            self.keep(path)
        });
        let token = at!(admin.token).given().and_then(|at| {
            let token = self.token(at);
            self.keep(token)
        });
        self.admin_without_listener(admin);
        Some(AdminSettings { address, hosts, socket, token })
    }

    fn admin_without_listener(&mut self, admin: Located<'_, Admin>) {
        if admin.value.listen.is_none() && admin.value.socket.is_none() {
            self.fault(Diagnostic::new(admin.place, "`[admin]` has neither `listen` nor `socket`").expected(
                "expected `listen = \"127.0.0.1:9090\"`, `socket = \"/run/portcullis/admin.sock\"` or both",
            ));
        }
        if admin.value.listen.is_none() && admin.value.token.is_some() {
            self.fault(
                Diagnostic::new(at!(admin.token).place, "`token` without `listen`")
                    .expected("expected no `token`: on the socket the system says who asks"),
            );
        }
    }

    fn socket_path(&self, at: Located<'_, PathBuf>) -> Result<PathBuf, Diagnostic> {
        let path = self.path(at.value);
        if path.file_name().is_none() || path.as_os_str().len() > LONGEST_SOCKET_PATH {
            return Err(Diagnostic::new(at.place, "not the path of a socket").expected(format!(
                "expected a path such as \"/run/portcullis/admin.sock\", of {LONGEST_SOCKET_PATH} bytes at most"
            )));
        }
        Ok(path)
    }

    fn token(&mut self, at: Located<'_, SecretSource>) -> Result<Secret, Diagnostic> {
        let token = self.secret(at)?;
        // RFC 6750, section 2.1: what an `Authorization` field can carry.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        let good = token.expose().len() >= SHORTEST_TOKEN && token.expose().bytes().all(plain);
        if self.sources.has_secrets() && !good {
            return Err(Diagnostic::new(
                at.place,
                "the token is too short, or has characters that no header takes",
            )
            .expected(format!(
                "expected at least {SHORTEST_TOKEN} of the characters A-Z a-z 0-9 - . _ ~ + / ="
            ))
            .help("make one: openssl rand -hex 32"));
        }
        Ok(token)
    }
}

fn admin_host(at: Located<'_, String>) -> Result<String, Diagnostic> {
    let fault = || {
        Diagnostic::new(at.place, "not the name of a host")
            .expected("expected a name such as \"gateway-1.internal\", without scheme and port")
    };
    Authority::host_alone(at.value).ok_or_else(fault)
}
