//! Rules, alerts and Alertmanagers in upstream's shape.
//!
//! This server runs no rules and notifies nobody: a configuration that asks for either does not start (it names what
//! is missing), so "none" is the whole truth here.

use crate::envelope::Reply;
use crate::{Api, ApiError, Call, params};

pub(crate) fn rules(_: &Api, call: &Call) -> Result<Reply, ApiError> {
    params::matcher_sets(&call.params)?;
    let kind = call.params.get("type").to_lowercase();
    if !matches!(kind.as_str(), "" | "alert" | "record") {
        let why = format!("not supported value {}", gomath::quote(&kind));
        return Err(ApiError::invalid_parameter("type", why));
    }
    exclude_alerts(call)?;
    let limit = call.params.get("group_limit");
    let token = call.params.get("group_next_token");
    if !token.is_empty() && limit.is_empty() {
        let why = "group_limit needs to be present in order to paginate over the groups";
        return Err(ApiError::invalid_parameter("group_next_token", why));
    }
    if !limit.is_empty() {
        let n = params::integer_of_32_bits(limit).map_err(|why| {
            ApiError::invalid_parameter(
                "group_limit",
                format!("group_limit needs to be a valid number: {why}"),
            )
        })?;
        if n <= 0 {
            return Err(ApiError::invalid_parameter("group_limit", "group_limit needs to be greater than 0"));
        }
        if !token.is_empty() {
            let why = format!("invalid group_next_token '{token}'. were rule groups changed?");
            return Err(ApiError::invalid_parameter("group_next_token", why));
        }
    }
    Ok(Reply::data(br#"{"groups":[]}"#.to_vec()))
}

/// `exclude_alerts`, as Go reads booleans.
fn exclude_alerts(call: &Call) -> Result<bool, ApiError> {
    let text = call.params.get("exclude_alerts").to_lowercase();
    match text.as_str() {
        "" | "0" | "f" | "false" => Ok(false),
        "1" | "t" | "true" => Ok(true),
        _ => {
            let quoted = gomath::quote(&text);
            let why = format!(
                "error converting exclude_alerts: strconv.ParseBool: parsing {quoted}: invalid syntax"
            );
            Err(ApiError::invalid_parameter("exclude_alerts", why))
        }
    }
}

pub(crate) fn alerts(_: &Api, _: &Call) -> Result<Reply, ApiError> {
    Ok(Reply::data(br#"{"alerts":[]}"#.to_vec()))
}

pub(crate) fn alertmanagers(_: &Api, _: &Call) -> Result<Reply, ApiError> {
    Ok(Reply::data(br#"{"activeAlertmanagers":[],"droppedAlertmanagers":[]}"#.to_vec()))
}
