//! What watches the gateway from outside: Prometheus reads its metrics, and knows its rules and its dashboard.

mod collector;
mod otlp;
mod prometheus;
pub(crate) mod rules;
mod scrapes;

use crate::support::{App, Browser, Gateway};
use prometheus::Prometheus;

/// A gateway with a route for everybody and one that asks who it is, each asked once.
async fn visited() -> (Gateway, App) {
    let app = App::start().await;
    let routes = format!(
        "[[routes]]\nname = \"wiki\"\nupstream = \"{url}\"\naccess = \"public\"\n\n\
         [[routes]]\nname = \"once\"\npath = \"/once\"\nupstream = \"{url}\"\naccess = \"public\"\nlimits = [{{ per = \"route\", rate = \"1/day\" }}]\n",
        url = app.url()
    );
    let gateway = Gateway::start(&routes);
    for (path, status) in [("/", 200), ("/once", 200), ("/once", 429)] {
        assert_eq!(Browser::new().get(&gateway.url(path)).await.status, status, "{path}");
    }
    (gateway, app)
}
