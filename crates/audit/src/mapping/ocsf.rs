//! An event as OCSF has it: the class, who and when, and under `unmapped` what OCSF has no place for.

use portcullis_events::{Field, Kind, Level, Seen};
use serde_json::Value as Json;

use super::ocsf_classes::{self, Activity, BASE, Class, OTHER};
use super::tree::{get, put, put_named};
use super::{Result, ocsf_fields, result};

/// The version of the schema.
pub const VERSION: &str = "1.8.0";

/// An event that is being written.
pub(super) struct Event<'a> {
    pub(super) seen: &'a Seen<'a>,
    pub(super) class: &'static Class,
    pub(super) json: Json,
}

/// The event that a line of ours tells.
pub(super) fn event(seen: &Seen<'_>) -> Json {
    let kind = seen.kind();
    let (class, activity) = kind.map_or((&BASE, OTHER), ocsf_classes::of);
    let class = mutant!(class, "ocsf-class-of-another" => ocsf_classes::of(Kind::KeyPublished).0);
    let mut event = Event { seen, class, json: Json::Null };
    event.head(activity);
    event.product();
    event.severity(kind);
    event.status(kind);
    for (name, value) in seen.members() {
        ocsf_fields::put_member(&mut event, name, value);
    }
    event.complete();
    event.json
}

impl Event<'_> {
    pub(super) fn put(&mut self, path: &str, value: impl Into<Json>) {
        put(&mut self.json, path, value);
    }

    /// Puts a number beside the word for it, as OCSF does.
    fn put_word(&mut self, name: &str, (id, caption): (u32, &str)) {
        self.put(&format!("{name}_id"), id);
        self.put(name, caption);
    }

    pub(super) fn keep(&mut self, name: &str, value: Json) {
        put_named(&mut self.json, "unmapped", name, value);
    }

    fn has(&self, path: &str) -> bool {
        get(&self.json, path).is_some()
    }

    fn head(&mut self, activity: Activity) {
        let class = self.class;
        let method = self.seen.text(Field::Method).filter(|_| class.is_http());
        let (activity, caption) = method.map_or(activity, ocsf_classes::of_method);
        self.put("class_uid", class.uid);
        self.put("class_name", class.caption);
        self.put("category_uid", class.category.0);
        self.put("category_name", class.category.1);
        self.put("activity_id", activity);
        let name = if activity == OTHER.0 { self.seen.word() } else { caption };
        let name = Json::from(name);
        self.put("activity_name", name);
        self.put("type_uid", u64::from(class.uid) * 100 + u64::from(activity));
        self.put("type_name", format!("{}: {caption}", class.caption));
    }

    fn product(&mut self) {
        let profiles: Json = self.class.profiles.iter().copied().collect();
        self.put("metadata.version", VERSION);
        self.put("metadata.profiles", profiles);
        self.put("metadata.log_name", "record");
        self.put("metadata.product.name", "Portcullis");
        self.put("metadata.product.vendor_name", "Portcullis");
        self.put("metadata.product.version", env!("CARGO_PKG_VERSION"));
    }

    fn severity(&mut self, kind: Option<Kind>) {
        let severity = match kind.map(|kind| kind.row().level) {
            Some(Level::Info) => (1, "Informational"),
            Some(Level::Warn) => (3, "Medium"),
            Some(Level::Error) => (4, "High"),
            None => (0, "Unknown"),
        };
        self.put_word("severity", severity);
        if let Some(kind) = kind {
            self.put("message", kind.row().doc);
        }
    }

    fn status(&mut self, kind: Option<Kind>) {
        let status = match result(self.seen, kind) {
            _ if self.class.is_finding() => (1, "New"),
            Result::Success => (1, "Success"),
            Result::Failure => (2, "Failure"),
            Result::Other => (99, "Other"),
        };
        self.put_word("status", status);
        if self.class.is_http() {
            self.verdict(kind);
        }
    }

    /// What the gateway did with a request.
    fn verdict(&mut self, kind: Option<Kind>) {
        let refused = kind == Some(Kind::AccessRefused);
        self.put_word("action", if refused { (2, "Denied") } else { (1, "Allowed") });
        self.put_word("disposition", if refused { (2, "Blocked") } else { (1, "Allowed") });
        self.put("authorizations.0.decision", if refused { "refused" } else { "granted" });
    }

    /// Adds what its class asks for. Where that is not known, it is an empty text: never somebody else's name.
    fn complete(&mut self) {
        let class = self.class;
        if let Some(person) = class.person {
            self.complete_person(person, class.is_authentication());
        }
        if class.is_authentication() {
            self.put("service.name", "Portcullis");
        } else if class.is_api() {
            self.complete_call();
        } else if class.is_entity() {
            self.complete_entity();
        } else if class.is_lifecycle() {
            self.complete_application();
        } else if class.is_finding() {
            let uid = Json::from(self.seen.text(Field::Event).unwrap_or_default());
            self.put("finding_info.uid", uid);
        } else if class.is_log() {
            self.put_word("log_type", (2, "Application"));
            self.put("log_provider", "Portcullis");
        }
    }

    /// A person without a name is one whom nobody knows; OCSF asks for a name of each.
    fn complete_person(&mut self, path: &str, always: bool) {
        if !always && !self.has(path) {
            return;
        }
        let known = self.has(&format!("{path}.uid")) || self.has(&format!("{path}.name"));
        if !known {
            self.put(&format!("{path}.name"), "");
        }
        self.put_word(&format!("{path}.type"), if known { (1, "User") } else { (0, "Unknown") });
    }

    fn complete_call(&mut self) {
        if !self.has("actor") {
            self.complete_person("actor.user", true);
        }
        if !self.has("src_endpoint") {
            // Who calls over the socket of this machine, or is known by a name alone.
            self.put("src_endpoint.name", "local");
        }
        if !self.has("api.operation") {
            let family = self.seen.word().split('.').next().unwrap_or_default().to_owned();
            self.put("api.operation", family);
        }
    }

    fn complete_entity(&mut self) {
        let word = self.seen.word();
        let what = match word.split('.').next() {
            Some("configuration") => "Configuration",
            Some("key") => "Signing Key",
            _ => "Provider Keys",
        };
        self.put_word("entity.type", (99, what));
        if !self.has("entity.name") && !self.has("entity.uid") {
            self.put("entity.name", "");
        }
    }

    fn complete_application(&mut self) {
        if !self.has("app.name") {
            self.put("app.name", "Portcullis");
            self.put("app.vendor_name", "Portcullis");
        }
        if self.has("actor.process") {
            self.put("actor.process.name", "portcullis");
        }
    }
}
