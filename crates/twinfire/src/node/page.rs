//! Which page a request gets.

use std::sync::{Arc, Mutex};

use collectors::{Node, Selection};
use env::BoxFuture;
use exposition::{CONTENT_TYPE, Page};
use http_server::{Handler, Request, Response, StatusCode};
use tokio::sync::Semaphore;

use super::own::{self, OwnMetrics};
use crate::log::Log;

/// Answers scrapes, and `/` with a page for people.
pub struct Pages {
    node: Arc<Mutex<Node>>,
    own: Option<Arc<OwnMetrics>>,
    /// `None` when any number may wait.
    requests: Option<(usize, Arc<Semaphore>)>,
    path: String,
    log: Log,
}

impl Pages {
    pub fn new(node: Node, own: Option<OwnMetrics>, requests_max: usize, path: &str, log: Log) -> Pages {
        Pages {
            node: Arc::new(Mutex::new(node)),
            own: own.map(Arc::new),
            requests: (requests_max > 0).then(|| (requests_max, Arc::new(Semaphore::new(requests_max)))),
            path: path.to_owned(),
            log,
        }
    }

    async fn metrics(&self, request: &Request) -> Response {
        let permit = match &self.requests {
            None => None,
            Some((max, requests)) => match requests.clone().try_acquire_owned() {
                Ok(permit) => Some(permit),
                Err(_) => {
                    let text = format!("Limit of concurrent requests reached ({max}), try again later.\n");
                    return Response::text(StatusCode::SERVICE_UNAVAILABLE, text);
                }
            },
        };
        let selection = match selection(request) {
            Ok(selection) => selection,
            Err(text) => return Response::text(StatusCode::BAD_REQUEST, text),
        };
        let (node, own, log) = (self.node.clone(), self.own.clone(), self.log.clone());
        let made = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            scrape(&node, own.as_deref(), &selection, &log)
        });
        match made.await {
            Ok(Ok(text)) => Response::new(StatusCode::OK, CONTENT_TYPE, text),
            Ok(Err(text)) => Response::text(StatusCode::BAD_REQUEST, text),
            Err(e) => Response::text(StatusCode::INTERNAL_SERVER_ERROR, format!("collect: {e}\n")),
        }
    }

    fn landing(&self) -> Response {
        let page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"UTF-8\"><title>Node Exporter</title></head>\n\
             <body><h1>Node Exporter</h1>\n<p>This host's metrics, by twinfire {}.</p>\n\
             <ul><li><a href=\"{}\">Metrics</a></li></ul></body></html>\n",
            env!("CARGO_PKG_VERSION"),
            self.path
        );
        Response::new(StatusCode::OK, "text/html; charset=UTF-8", page)
    }
}

impl Handler for Pages {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            if request.path == self.path {
                self.own.iter().for_each(|own| own.begin());
                let response = self.metrics(&request).await;
                self.own.iter().for_each(|own| own.end(response.status.as_u16()));
                return response;
            }
            match request.path.as_str() {
                "/" => self.landing(),
                _ => Response::text(StatusCode::NOT_FOUND, "404 page not found\n"),
            }
        })
    }
}

/// What `collect[]` and `exclude[]` ask for.
fn selection(request: &Request) -> Result<Selection, String> {
    let params = request.params()?;
    let all = |name: &str| params.all(name).map(str::to_owned).collect::<Vec<_>>();
    let (only, except) = (all("collect[]"), all("exclude[]"));
    match (only.is_empty(), except.is_empty()) {
        (true, true) => Ok(Selection::All),
        (false, true) => Ok(Selection::Only(only)),
        (true, false) => Ok(Selection::Except(except)),
        (false, false) => Err("Combined collect and exclude queries are not allowed.".to_owned()),
    }
}

fn scrape(
    node: &Mutex<Node>,
    own: Option<&OwnMetrics>,
    selection: &Selection,
    log: &Log,
) -> Result<Vec<u8>, String> {
    // A collector that panicked broke its own promise; the others go on.
    let mut node = node.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    node.check(selection).map_err(|e| format!("Couldn't create filtered metrics handler: {e}"))?;
    let mut page = Page::new();
    own::build_info(&mut page);
    own.iter().for_each(|own| own.write(&mut page));
    let mut text = Vec::with_capacity(64 * 1024);
    for failure in node.scrape(selection, page, &mut text) {
        let fields: crate::log::Fields<'_> = &[("name", &failure.collector), ("err", &failure.error)];
        if failure.error.is_no_data() {
            log.debug("collector returned no data", fields);
        } else {
            log.error("collector failed", fields);
        }
    }
    Ok(text)
}
