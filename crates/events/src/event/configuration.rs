//! The configuration, and keys of our own.

use super::Event;
use crate::field::Field;
use crate::kind::Kind;
use crate::line::{Change, Line};

/// The configuration that the process starts with.
#[derive(Clone, Copy, Debug)]
pub struct ConfigurationLoaded<'a> {
    /// The file.
    pub file: &'a str,
    /// How many routes it has.
    pub count: Option<u64>,
}

impl Event for ConfigurationLoaded<'_> {
    fn kind(&self) -> Kind {
        Kind::ConfigurationLoaded
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::File, self.file);
        line.number_if(Field::Count, self.count);
    }
}

/// A configuration is refused.
#[derive(Clone, Copy, Debug)]
pub struct ConfigurationRefused<'a> {
    /// The file.
    pub file: &'a str,
    /// How many faults it has.
    pub count: Option<u64>,
    /// The first fault.
    pub reason: &'a str,
    /// Who did it.
    pub by: Option<&'a str>,
}

impl Event for ConfigurationRefused<'_> {
    fn kind(&self) -> Kind {
        Kind::ConfigurationRefused
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::File, self.file);
        line.text(Field::Reason, self.reason);
        line.number_if(Field::Count, self.count);
        line.text_if(Field::By, self.by);
    }
}

/// Another configuration is in force.
#[derive(Clone, Copy, Debug)]
pub struct ConfigurationChanged<'a> {
    /// The file.
    pub file: &'a str,
    /// What is different, as far as it is no secret.
    pub changes: &'a [Change<'a>],
    /// How many settings are different.
    pub count: Option<u64>,
    /// Who did it.
    pub by: Option<&'a str>,
}

impl Event for ConfigurationChanged<'_> {
    fn kind(&self) -> Kind {
        Kind::ConfigurationChanged
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::File, self.file);
        line.changes(Field::Changes, self.changes);
        line.number_if(Field::Count, self.count);
        line.text_if(Field::By, self.by);
    }
}

/// A key of ours is published.
#[derive(Clone, Copy, Debug)]
pub struct KeyPublished<'a> {
    /// The key's id (`kid`).
    pub key: &'a str,
    /// From when on it signs, in microseconds since 1970.
    pub signs_from: Option<u64>,
    /// Who did it.
    pub by: Option<&'a str>,
}

impl Event for KeyPublished<'_> {
    fn kind(&self) -> Kind {
        Kind::KeyPublished
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Key, self.key);
        if let Some(from) = self.signs_from {
            line.time(Field::SignsFrom, from);
        };
        line.text_if(Field::By, self.by);
    }
}

/// Another key of ours signs.
#[derive(Clone, Copy, Debug)]
pub struct KeyRotated<'a> {
    /// The key's id (`kid`).
    pub key: &'a str,
    /// From when on it signs, in microseconds since 1970.
    pub signs_from: Option<u64>,
    /// Who did it.
    pub by: Option<&'a str>,
}

impl Event for KeyRotated<'_> {
    fn kind(&self) -> Kind {
        Kind::KeyRotated
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text(Field::Key, self.key);
        if let Some(from) = self.signs_from {
            line.time(Field::SignsFrom, from);
        };
        line.text_if(Field::By, self.by);
    }
}
