//! `/-/…`: health, readiness, reload, stop.

use http_server::{Response, StatusCode};

use crate::envelope::Reply;
use crate::{Api, ApiError, Call};

pub(crate) fn healthy(_: &Api, _: &Call) -> Result<Reply, ApiError> {
    Ok(Reply::Raw(Response::text(StatusCode::OK, "Prometheus Server is Healthy.\n")))
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
    Ok(Reply::Raw(response))
}

fn disabled() -> Reply {
    Reply::Raw(Response::text(StatusCode::FORBIDDEN, "Lifecycle API is not enabled."))
}

pub(crate) async fn reload(api: &Api) -> Result<Reply, ApiError> {
    if !api.context.options.lifecycle {
        return Ok(disabled());
    }
    let response = match api.context.state.reload().await {
        Ok(()) => Response::text(StatusCode::OK, ""),
        Err(why) => {
            Response::text(StatusCode::INTERNAL_SERVER_ERROR, format!("failed to reload config: {why}\n"))
        }
    };
    Ok(Reply::Raw(response))
}

pub(crate) fn quit(api: &Api, _: &Call) -> Result<Reply, ApiError> {
    if !api.context.options.lifecycle {
        return Ok(disabled());
    }
    api.context.state.quit();
    Ok(Reply::Raw(Response::text(StatusCode::OK, "Requesting termination... Goodbye!")))
}
