//! What operators ask.

use std::net::IpAddr;

use super::{Event, write_client};
use crate::field::Field;
use crate::head::EventHead;
use crate::kind::Kind;
use crate::line::Line;

/// An operator has called the management API.
#[derive(Clone, Copy, Debug)]
pub struct ManagementCalled<'a> {
    /// The operator.
    pub operator: &'a str,
    /// The operation.
    pub operation: &'a str,
    /// The id of the call.
    pub id: Option<&'a str>,
    /// The client's address; none over the unix socket.
    pub client: Option<IpAddr>,
    /// Status of the answer.
    pub status: u16,
    /// Why it was not done.
    pub reason: Option<&'a str>,
    /// How many sign-ins it concerns.
    pub selected: Option<u64>,
    /// How many sign-ins it has ended.
    pub ended: Option<u64>,
}

impl Event for ManagementCalled<'_> {
    fn kind(&self) -> Kind {
        Kind::ManagementCalled
    }

    fn head(&self, head: &mut EventHead) {
        head.status = self.status;
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text_if(Field::Id, self.id);
        line.text(Field::Operator, self.operator);
        line.text(Field::Operation, self.operation);
        write_client(self.client, line);
        line.number(Field::Status, self.status.into());
        line.text_if(Field::Reason, self.reason);
        line.number_if(Field::Selected, self.selected);
        line.number_if(Field::Ended, self.ended);
    }
}

/// Somebody has looked at the record, whichever way.
#[derive(Clone, Copy, Debug)]
pub struct RecordRead<'a> {
    /// Who has looked.
    pub operator: &'a str,
    /// What for: the operation of the API, or the page.
    pub operation: &'a str,
    /// The id of the call.
    pub id: Option<&'a str>,
    /// The client's address; none over the unix socket.
    pub client: Option<IpAddr>,
    /// Status of the answer.
    pub status: u16,
    /// By which names was asked, and not for which values.
    pub reason: Option<&'a str>,
}

impl Event for RecordRead<'_> {
    fn kind(&self) -> Kind {
        Kind::RecordRead
    }

    fn head(&self, head: &mut EventHead) {
        head.status = self.status;
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text_if(Field::Id, self.id);
        line.text(Field::Operator, self.operator);
        line.text(Field::Operation, self.operation);
        write_client(self.client, line);
        line.number(Field::Status, self.status.into());
        line.text_if(Field::Reason, self.reason);
    }
}

/// Somebody who may not has called the management API.
#[derive(Clone, Copy, Debug)]
pub struct ManagementRefused<'a> {
    /// Who it was, where that is known.
    pub operator: Option<&'a str>,
    /// The operation, where that is known.
    pub operation: Option<&'a str>,
    /// The client's address; none over the unix socket.
    pub client: Option<IpAddr>,
    /// Status of the answer, where there was one.
    pub status: Option<u16>,
    /// Why, in words.
    pub reason: &'a str,
}

impl Event for ManagementRefused<'_> {
    fn kind(&self) -> Kind {
        Kind::ManagementRefused
    }

    fn head(&self, head: &mut EventHead) {
        head.status = self.status.unwrap_or(0);
    }

    fn is_a_strangers(&self) -> bool {
        true
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text_if(Field::Operator, self.operator);
        line.text_if(Field::Operation, self.operation);
        write_client(self.client, line);
        line.number_if(Field::Status, self.status.map(u64::from));
        line.text(Field::Reason, self.reason);
    }
}

/// An operator has had somebody erased from the store of events.
#[derive(Clone, Copy, Debug)]
pub struct PersonErased<'a> {
    /// What stands for whoever was erased.
    pub person: &'a str,
    /// The operator.
    pub operator: &'a str,
    /// How many events are about them.
    pub count: u64,
    /// The id of the call.
    pub id: Option<&'a str>,
    /// The client's address; none over the unix socket.
    pub client: Option<IpAddr>,
    /// How many sign-ins it has ended.
    pub ended: Option<u64>,
    /// Why, in the operator's words.
    pub reason: Option<&'a str>,
}

impl Event for PersonErased<'_> {
    fn kind(&self) -> Kind {
        Kind::PersonErased
    }

    fn write(&self, line: &mut Line<'_>) {
        line.text_if(Field::Id, self.id);
        line.text(Field::Person, self.person);
        line.text(Field::Operator, self.operator);
        write_client(self.client, line);
        line.number(Field::Count, self.count);
        line.number_if(Field::Ended, self.ended);
        line.text_if(Field::Reason, self.reason);
    }
}
