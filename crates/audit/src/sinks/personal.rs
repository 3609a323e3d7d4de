//! What sinks get of what is personal ([`Field::TABLE`] says which fields are): as it is, pseudonyms, or nothing. A line is
//! changed on the thread of its sink, before anything else is made of it: so whatever it is written as, spooled or chained
//! has pseudonyms only (invariant 15), and no request waits for it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::time::Instant;

use aws_lc_rs::hmac;
use portcullis_events::{Field, FieldRow, Seen, Value};

use super::settings::SinkKind;
use super::sink::{Batch, Sink, SinkError};
use crate::secret::random_bytes;
use crate::segments::push_member;

/// What becomes of what is personal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Personal {
    /// It is told.
    #[default]
    Clear,
    /// A pseudonym stands for each value: the same for the same value, as long as the key is.
    Pseudonyms,
    /// It is not told.
    LeftOut,
}

/// What pseudonyms follow from. Whoever has it can try out whom one may stand for.
#[derive(Clone)]
pub struct PseudonymKey(hmac::Key);

impl PseudonymKey {
    /// The one that follows from a secret.
    #[must_use]
    pub fn of(secret: &[u8]) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let bits = hmac::sign(&secret, b"portcullis pseudonyms of sinks");
        Self(hmac::Key::new(hmac::HMAC_SHA256, bits.as_ref()))
    }

    /// One that nobody has: pseudonyms mean nothing beyond this process.
    #[must_use]
    pub fn random() -> Self {
        Self::of(&random_bytes::<32>())
    }

    /// What stands for a person.
    #[must_use]
    pub fn subject(&self, provider: &str, subject: &str) -> String {
        hex(self.hash("subject", &[provider, subject]))
    }

    /// What stands for a name, whichever field it is in.
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        hex(self.hash("name", &[name]))
    }

    /// What stands for an address: one of those that are never routed (RFC 4193), so that receivers who expect an address
    /// get one. `fd04:…` stands for one of IPv4, `fd06:…` for one of IPv6; nothing of the network can be seen.
    #[must_use]
    pub fn address(&self, address: IpAddr) -> IpAddr {
        let address = address.to_canonical();
        let family = if address.is_ipv4() { 4 } else { 6 };
        let mut bytes = self.hash("address", &[&address.to_string()]);
        (bytes[0], bytes[1]) = (0xFD, family);
        Ipv6Addr::from(bytes).into()
    }

    fn value(&self, row: &FieldRow, value: &str, provider: &str) -> String {
        #[expect(clippy::wildcard_enum_match_arm, reason = "whatever is personal and has no form of its own")]
        match row.field {
            Field::Subject => self.subject(provider, value),
            Field::User | Field::By | Field::Operator => self.name(value),
            Field::Client => value.parse().map_or_else(
                |_| hex(self.hash("client", &[value])),
                |address| self.address(address).to_string(),
            ),
            Field::Path => format!("/{}", hex(self.hash("path", &[value]))),
            _ => hex(self.hash(row.name, &[value])),
        }
    }

    /// Each part with its length before it, so that no two lists of parts are one text.
    fn hash(&self, purpose: &str, parts: &[&str]) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in std::iter::once(&purpose).chain(parts) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut short = [0; 16];
        short.copy_from_slice(&context.sign().as_ref()[..16]);
        short
    }
}

fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(…)")
    }
}

/// What a sink does with what is personal, which a reload may change.
#[derive(Debug)]
pub(super) struct Disguise {
    key: PseudonymKey,
    personal: AtomicU8,
}

const ALL: [Personal; 3] = [Personal::Clear, Personal::Pseudonyms, Personal::LeftOut];

impl Disguise {
    pub(super) fn new(key: PseudonymKey, personal: Personal) -> Arc<Self> {
        Arc::new(Self { key, personal: AtomicU8::new(personal as u8) })
    }

    pub(super) fn change(&self, personal: Personal) {
        self.personal.store(personal as u8, Relaxed);
    }

    /// What is not known is left out.
    fn personal(&self) -> Personal {
        let known = ALL.into_iter().find(|personal| *personal as u8 == self.personal.load(Relaxed));
        known.unwrap_or(Personal::LeftOut)
    }
}

/// A sink that gets no more of what is personal than it is to.
pub(super) struct Disguised {
    pub(super) sink: Box<dyn Sink>,
    pub(super) disguise: Arc<Disguise>,
}

impl Sink for Disguised {
    fn write(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
        let personal = self.disguise.personal();
        if mutant!(personal == Personal::Clear, "sink-gets-names-all-the-same" => true) {
            return self.sink.write(batch);
        }
        let key = (personal == Personal::Pseudonyms).then_some(&self.disguise.key);
        let block = batch.block.rewritten(|line, out| write(line, key, out));
        self.sink.write(&Batch { block: &block, chosen: batch.chosen })
    }

    fn write_text(&mut self, text: &[u8]) -> Result<(), SinkError> {
        self.sink.write_text(text)
    }

    fn write_missed(&mut self, lines: u64) -> Result<(), SinkError> {
        self.sink.write_missed(lines)
    }

    fn begin(&mut self) {
        self.sink.begin();
    }

    fn is_the_end(&self) -> bool {
        self.sink.is_the_end()
    }

    fn beat(&mut self) -> Result<(), SinkError> {
        self.sink.beat()
    }

    fn change(&mut self, kind: &SinkKind) {
        self.sink.change(kind);
    }

    fn discard(self: Box<Self>) {
        self.sink.discard();
    }

    fn close(self: Box<Self>, until: Instant) -> Result<(), SinkError> {
        self.sink.close(until)
    }
}

/// Writes a line of ours with pseudonyms, or without what is personal where there is no key. Of what is no line of ours, and
/// of members that nobody knows, nothing.
pub(super) fn write(line: &[u8], key: Option<&PseudonymKey>, out: &mut Vec<u8>) {
    let Ok(seen) = Seen::read(line) else { return };
    let provider = seen.text(Field::Provider).unwrap_or_default();
    let mut text = String::with_capacity(line.len());
    text.push('{');
    for (name, value) in seen.members() {
        let Some(row) = Field::named(name).map(Field::row) else { continue };
        // What was changed in rules names people.
        let personal = row.personal || row.field == Field::Changes;
        match (personal, value, key) {
            (false, ..) => push_member(&mut text, name, value),
            (true, Value::Text(value), Some(key)) => {
                push_member(&mut text, name, &Value::Text(key.value(row, value, provider).into()));
            }
            (true, ..) => {}
        }
    }
    text.push_str("}\n");
    out.extend_from_slice(text.as_bytes());
}
