//! `[[routes]]` `serve`.

use http::Method;

use crate::endpoints::Application;

use super::Lowering;
use super::route::misplaced;
use super::value::method;
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, at};
use crate::config::raw::{Route, ServeWord};
use crate::config::words::listed;

impl Lowering<'_> {
    pub(super) fn serve(&mut self, at: Located<'_, Route>, word: ServeWord) -> Application {
        let application = match word {
            ServeWord::Portal => Application::Portal,
            ServeWord::Console => Application::Console,
        };
        if let Some(tolerate) = at!(at.tolerate).given() {
            self.fault(misplaced("tolerate", tolerate.place, "serves"));
        }
        let answered = |method: &Method| application.methods().contains(method);
        let all: Vec<_> = application.methods().iter().map(|method| format!("\"{method}\"")).collect();
        for written in at!(at.methods).all() {
            if method(written).is_ok_and(|method| !answered(&method)) {
                self.fault(
                    Diagnostic::new(
                        written.place,
                        format!("{} on a route that serves", quoted(written.value)),
                    )
                    .expected(format!("expected {}: `{application}` answers nothing else", listed(&all))),
                );
            }
        }
        application
    }
}
