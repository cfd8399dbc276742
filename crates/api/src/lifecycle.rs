//! `/-/…`: health, readiness, reload, stop.

use http_server::{Response, StatusCode};

use crate::api::plain_error;
use crate::envelope::Reply;
use crate::{Api, ApiError, Call};

fn text(status: StatusCode, text: &'static str) -> Reply {
    Reply::Raw(Response::text(status, text).uncompressed())
}

pub(crate) fn healthy(_: &Api, _: &Call) -> Result<Reply, ApiError> {
    Ok(text(StatusCode::OK, "Prometheus Server is Healthy.\n"))
}

pub(crate) fn ready(api: &Api, _: &Call) -> Result<Reply, ApiError> {
    let state = &api.context.state;
    let response = if state.is_ready() {
        Response::text(StatusCode::OK, "Prometheus Server is Ready.\n")
    } else {
        let stopping = if state.is_stopping() { "true" } else { "false" };
        Response::text(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
            .with_header("x-prometheus-stopping", stopping)
    };
    Ok(Reply::Raw(response.uncompressed()))
}

fn disabled() -> Reply {
    text(StatusCode::FORBIDDEN, "Lifecycle API is not enabled.")
}

pub(crate) async fn reload(api: &Api) -> Result<Reply, ApiError> {
    if !api.context.options.lifecycle {
        return Ok(disabled());
    }
    let response = match api.context.state.reload().await {
        Ok(()) => Response::empty(StatusCode::OK).uncompressed(),
        Err(why) => {
            plain_error(StatusCode::INTERNAL_SERVER_ERROR, format!("failed to reload config: {why}\n"))
        }
    };
    Ok(Reply::Raw(response))
}

pub(crate) fn quit(api: &Api, _: &Call) -> Result<Reply, ApiError> {
    if !api.context.options.lifecycle {
        return Ok(disabled());
    }
    if api.context.state.is_stopping() {
        return Ok(text(StatusCode::OK, "Termination already in progress."));
    }
    api.context.state.quit();
    Ok(text(StatusCode::OK, "Requesting termination... Goodbye!"))
}

/// `GET` of what only a `POST` may do.
pub(crate) fn post_only(_: &Api, _: &Call) -> Result<Reply, ApiError> {
    Ok(text(StatusCode::METHOD_NOT_ALLOWED, "Only POST or PUT requests allowed"))
}
