//! From a request to its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use env::net::BoxFuture;
use http_server::{Handler, Method, Params, Request, Response, StatusCode};
use selfmetrics::{Counter, Histogram, Vector};
use tokio::sync::Semaphore;

use crate::context::Context;
use crate::envelope;
use crate::error::{ApiError, ErrorKind};
use crate::routes::{self, Endpoint, Route, Run};
use crate::{lifecycle, params, query};

/// Upper bounds of `prometheus_http_request_duration_seconds`, in seconds.
const DURATION_BOUNDS: &[f64] = &[0.1, 0.2, 0.4, 1.0, 3.0, 8.0, 20.0, 60.0, 120.0];

/// The API over one server's context.
pub struct Api {
    pub(crate) context: Context,
    /// One permit for each query that may run at the same time.
    queries: Semaphore,
    requests: Vector<Counter>,
    durations: Vector<Histogram>,
    pub(crate) query_metrics: query::QueryMetrics,
    pub(crate) receiver: remote::Receiver,
}

/// One request on its way.
pub struct Call {
    pub request: Request,
    pub params: Params,
    /// The value of the path's `{name}`, decoded.
    pub value: String,
    /// Raised when the answer is no longer wanted: the client is gone, or the time is up.
    pub cancel: AtomicBool,
    /// Nanoseconds this call has waited for its turn.
    pub queued_ns: AtomicU64,
}

/// Raises the flag when the client's request is dropped.
struct CancelOnDrop(Arc<Call>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel.store(true, Ordering::Relaxed);
    }
}

impl Api {
    pub fn new(context: Context) -> Api {
        let registry = &context.registry;
        let requests = registry.counter_vec(
            "prometheus_http_requests_total",
            "Counter of HTTP requests.",
            &["handler", "code"],
        );
        let durations = registry.histogram_vec(
            "prometheus_http_request_duration_seconds",
            "Histogram of latencies for HTTP requests.",
            DURATION_BOUNDS,
            &["handler"],
        );
        let query_metrics = query::QueryMetrics::new(registry, context.options.query_concurrency_max);
        let queries = Semaphore::new(context.options.query_concurrency_max);
        let receiver = remote::Receiver::new(context.appendable.clone(), registry);
        Api { context, queries, requests, durations, query_metrics, receiver }
    }

    async fn answer(self: &Arc<Self>, request: Request) -> Response {
        let prefix = self.context.options.route_prefix.clone();
        let origin = request.header("origin").map(str::to_string);
        let full_path = request.path.clone();
        let Some(path) = full_path.strip_prefix(&prefix).filter(|path| path.starts_with('/')) else {
            if full_path == "/" || full_path == prefix {
                return Response::redirect(StatusCode::FOUND, &format!("{prefix}/"));
            }
            return not_found();
        };
        let is_api = path.starts_with("/api/v1/");
        if is_api && request.method == Method::OPTIONS {
            return self.with_cors(Response::empty(StatusCode::NO_CONTENT), origin.as_deref());
        }
        match routes::find(&request.method, path) {
            Route::Unknown => not_found(),
            Route::WrongMethod { allow } if request.method == Method::OPTIONS => {
                Response::empty(StatusCode::OK).with_header("allow", &allow).uncompressed()
            }
            Route::WrongMethod { allow } => {
                plain_error(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n")
                    .with_header("allow", &allow)
            }
            Route::Found { endpoint, value } => {
                let began = self.context.clock.monotonic();
                let value = value.map(str::to_string);
                let mut response = self.run(endpoint, value.as_deref().unwrap_or(""), request).await;
                let took = self.context.clock.monotonic() - began;
                self.requests.with(&[endpoint.path, response.status.as_str()]).inc();
                self.durations.with(&[endpoint.path]).observe(took.as_secs_f64());
                if is_api {
                    response = self.with_cors(response, origin.as_deref());
                    if !endpoint.needs_ready {
                        response = response.uncompressed();
                    }
                }
                response
            }
        }
    }

    async fn run(self: &Arc<Self>, endpoint: &'static Endpoint, value: &str, request: Request) -> Response {
        let state = &self.context.state;
        if endpoint.needs_ready && !state.is_ready() {
            let stopping = if state.is_stopping() { "true" } else { "false" };
            return Response::text(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
                .with_header("x-prometheus-stopping", stopping)
                .uncompressed();
        }
        let params = match request.params() {
            Ok(params) => params,
            Err(why) => return ApiError::bad_data(format!("error parsing form values: {why}")).response(),
        };
        let value = match http_server::decode_path(value) {
            Ok(value) => value,
            Err(why) => return ApiError::bad_data(why).response(),
        };
        let call = Arc::new(Call {
            request,
            params,
            value,
            cancel: AtomicBool::new(false),
            queued_ns: AtomicU64::new(0),
        });
        let outcome = match endpoint.run {
            Run::Here(handler) => handler(self, &call),
            Run::Reload => lifecycle::reload(self).await,
            Run::NotSupported => Err(ApiError::not_supported(endpoint.path)),
            Run::Thread(handler) => self.on_thread(handler, call).await,
            Run::Query(handler) => self.within_limits(handler, call).await,
        };
        match outcome {
            Ok(reply) => envelope::respond(reply),
            Err(error) => error.response(),
        }
    }

    async fn on_thread(
        self: &Arc<Self>,
        handler: fn(&Api, &Call) -> Result<envelope::Reply, ApiError>,
        call: Arc<Call>,
    ) -> Result<envelope::Reply, ApiError> {
        let api = self.clone();
        let guard = CancelOnDrop(call.clone());
        let outcome = tokio::task::spawn_blocking(move || handler(&api, &call)).await;
        // The work is done: telling it to stop is without effect.
        drop(guard);
        outcome.unwrap_or_else(|why| {
            Err(ApiError::new(ErrorKind::Internal, format!("the request's thread failed: {why}")))
        })
    }

    /// Runs a query: at most so many at once, no longer than its timeout, no longer than its client waits.
    async fn within_limits(
        self: &Arc<Self>,
        handler: fn(&Api, &Call) -> Result<envelope::Reply, ApiError>,
        call: Arc<Call>,
    ) -> Result<envelope::Reply, ApiError> {
        let mut timeout_ms = self.context.options.query_timeout_ms;
        let asked = call.params.get("timeout");
        if !asked.is_empty() {
            let asked_ms =
                params::parse_duration(asked).map_err(|why| ApiError::invalid_parameter("timeout", why))?;
            if asked_ms <= 0 {
                // Upstream's answer depends on which of its goroutines looks first; this is the one that fits.
                return Err(ApiError::new(ErrorKind::Timeout, "query timed out in query execution"));
            }
            timeout_ms = timeout_ms.min(asked_ms);
        }
        let timeout = Duration::from_millis(timeout_ms.max(0) as u64);
        let began = self.context.clock.monotonic();
        let in_queue = "query timed out in query queue";
        let permit = match tokio::time::timeout(timeout, self.queries.acquire()).await {
            Ok(permit) => permit.expect("nobody closes the semaphore"),
            Err(_) => return Err(ApiError::new(ErrorKind::Timeout, in_queue)),
        };
        let now = self.context.clock.monotonic();
        self.query_metrics.queued((now - began).as_secs_f64(), self.context.clock.now_ms());
        call.queued_ns.store((now - began).as_nanos() as u64, Ordering::Relaxed);
        let rest = timeout.saturating_sub(now - began);
        self.query_metrics.running.add(1.0);
        let work = self.on_thread(handler, call.clone());
        tokio::pin!(work);
        let outcome = tokio::select! {
            outcome = &mut work => outcome,
            () = tokio::time::sleep(rest) => {
                call.cancel.store(true, Ordering::Relaxed);
                match work.await {
                    // Too late is too late, whether the evaluation noticed or not.
                    Err(error) if error.kind == ErrorKind::Canceled => Err(timed_out()),
                    Ok(_) => Err(timed_out()),
                    outcome => outcome,
                }
            }
        };
        self.query_metrics.running.add(-1.0);
        drop(permit);
        outcome
    }

    fn with_cors(&self, mut response: Response, origin: Option<&str>) -> Response {
        response = response.with_header("vary", "Origin");
        let Some(origin) = origin else { return response };
        response = response
            .with_header("access-control-allow-headers", "Accept, Authorization, Content-Type, Origin")
            .with_header("access-control-allow-methods", "GET, POST, OPTIONS")
            .with_header("access-control-expose-headers", "Date");
        if self.context.options.cors_origin.is_match(origin) {
            response = response.with_header("access-control-allow-origin", origin);
        }
        response
    }
}

/// The handler's own future must own the API, so it is shared.
pub struct Shared(pub Arc<Api>);

impl Handler for Shared {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(self.0.answer(request))
    }
}

fn timed_out() -> ApiError {
    ApiError::new(ErrorKind::Timeout, promql::Error::TimedOut.to_string())
}

fn not_found() -> Response {
    plain_error(StatusCode::NOT_FOUND, "404 page not found\n")
}

/// An error outside the envelope, as Go's `http.Error` tells it.
pub(crate) fn plain_error(status: StatusCode, text: impl Into<String>) -> Response {
    Response::text(status, text.into()).with_header("x-content-type-options", "nosniff").uncompressed()
}
