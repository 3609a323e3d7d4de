//! A sink whose far end may be away: what it is given goes into a spool, and from there to the far end on a thread of its
//! own.

use std::sync::Arc;
use std::time::Instant;

use super::delivery::{Delivery, Handle, SpooledSettings};
use super::far::FarContext;
use super::settings::SinkKind;
use super::sink::{Batch, Sink, SinkError};
use super::spool::{Frame, Spool};

pub(super) struct SpooledSink {
    spool: Arc<Spool>,
    delivery: Arc<Handle>,
}

impl SpooledSink {
    pub(super) fn open(settings: &SpooledSettings, context: FarContext) -> Result<Self, SinkError> {
        let spool = Spool::open(&settings.spool, &context.process, settings.keeps);
        let spool = spool.map_err(SinkError::Unusable)?;
        context.status.writes(&settings.spool.folder);
        let delivery = Delivery::start(settings, &spool, context).map_err(SinkError::Unusable)?;
        Ok(Self { spool, delivery })
    }

    fn end(&self, until: Instant) {
        self.spool.close(until);
        self.spool.wait_end(until);
        self.spool.remove_if_done();
    }
}

impl Sink for SpooledSink {
    fn begin(&mut self) {
        self.spool.begin();
    }

    fn is_the_end(&self) -> bool {
        false
    }

    fn write(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
        let Some(frame) = Frame::of(batch) else { return Ok(()) };
        Ok(self.spool.append(frame)?)
    }

    fn beat(&mut self) -> Result<(), SinkError> {
        Ok(self.spool.tend()?)
    }

    fn change(&mut self, kind: &SinkKind) {
        if let SinkKind::Spooled(settings) = kind {
            self.delivery.change(settings.clone());
            self.spool.call();
        }
    }

    fn discard(self: Box<Self>) {
        self.end(Instant::now() + std::time::Duration::from_secs(1));
    }

    fn close(self: Box<Self>, until: Instant) -> Result<(), SinkError> {
        self.end(until);
        Ok(())
    }
}
