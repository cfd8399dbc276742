//! Our tree in the JSON notation of the cases.

use promql_syntax::ast::{At, Expr, MatrixSelector, Node, PosRange, VectorSelector};
use serde_json::{Map, Value, json};

fn float(value: f64) -> Value {
    Value::String(gomath::format_float(value, gomath::FloatFormat::General))
}

fn pos(pos: PosRange) -> Value {
    json!([pos.start, pos.end])
}

pub fn at(at: Option<At>) -> Value {
    match at {
        None => Value::Null,
        Some(At::Timestamp(ms)) => json!(ms),
        Some(At::Start) => json!("start()"),
        Some(At::End) => json!("end()"),
    }
}

fn optional(map: &mut Map<String, Value>, key: &str, node: &Option<Node>) {
    if let Some(node) = node {
        map.insert(key.to_string(), ast(node));
    }
}

fn vector(selector: &VectorSelector) -> Map<String, Value> {
    let matchers: Vec<Value> = selector
        .matchers
        .iter()
        .map(|m| json!({"name": m.name(), "type": m.op().as_str(), "value": m.value()}))
        .collect();
    let mut map = Map::new();
    map.insert("node".into(), json!("vector"));
    map.insert("name".into(), json!(selector.name));
    map.insert("matchers".into(), json!(matchers));
    map.insert("offset_ms".into(), json!(selector.offset_ms));
    map.insert("pos".into(), pos(selector.pos));
    optional(&mut map, "offset_expr", &selector.offset_expr);
    if selector.at.is_some() {
        map.insert("at".into(), at(selector.at));
    }
    if selector.anchored {
        map.insert("anchored".into(), json!(true));
    }
    if selector.smoothed {
        map.insert("smoothed".into(), json!(true));
    }
    map
}

fn matrix(matrix: &MatrixSelector) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("node".into(), json!("matrix"));
    map.insert("selector".into(), Value::Object(vector(&matrix.selector)));
    map.insert("range_ms".into(), json!(matrix.range_ms));
    optional(&mut map, "range_expr", &matrix.range_expr);
    map
}

pub fn ast(expr: &Expr) -> Value {
    let mut map = match expr {
        Expr::Number(number) => {
            let mut map = Map::new();
            map.insert("node".into(), json!("number"));
            map.insert("val".into(), float(number.val));
            if number.duration {
                map.insert("duration".into(), json!(true));
            }
            map
        }
        Expr::String(string) => {
            let val = match &string.invalid {
                Some(bytes) => json!({"base64": base64(bytes)}),
                None => json!(string.val),
            };
            object(json!({"node": "string", "val": val}))
        }
        Expr::Paren(paren) => object(json!({"node": "paren", "expr": ast(&paren.expr)})),
        Expr::Unary(unary) => {
            object(json!({"node": "unary", "op": unary.op.as_str(), "expr": ast(&unary.expr)}))
        }
        Expr::Binary(binary) => {
            let mut map = object(json!({
                "node": "binary", "op": binary.op.as_str(), "bool": binary.return_bool,
                "lhs": ast(&binary.lhs), "rhs": ast(&binary.rhs),
            }));
            if let Some(matching) = &binary.matching {
                let mut m = object(json!({
                    "card": matching.card.as_str(), "labels": matching.labels, "on": matching.on,
                    "include": matching.include,
                }));
                for (key, fill) in [("fill_left", matching.fill_left), ("fill_right", matching.fill_right)] {
                    if let Some(value) = fill {
                        m.insert(key.into(), float(value));
                    }
                }
                map.insert("matching".into(), Value::Object(m));
            }
            map
        }
        Expr::Aggregate(aggregate) => {
            let mut map = object(json!({
                "node": "aggregate", "op": aggregate.op.as_str(), "without": aggregate.without,
                "grouping": aggregate.grouping, "expr": ast(&aggregate.expr),
            }));
            optional(&mut map, "param", &aggregate.param);
            map
        }
        Expr::Call(call) => {
            let args: Vec<Value> = call.args.iter().map(|arg| ast(arg)).collect();
            object(json!({"node": "call", "func": call.func.name, "args": args}))
        }
        Expr::Vector(selector) => vector(selector),
        Expr::Matrix(m) => matrix(m),
        Expr::Subquery(subquery) => {
            let mut map = object(json!({
                "node": "subquery", "expr": ast(&subquery.expr), "range_ms": subquery.range_ms,
                "step_ms": subquery.step_ms, "offset_ms": subquery.offset_ms,
            }));
            optional(&mut map, "range_expr", &subquery.range_expr);
            optional(&mut map, "step_expr", &subquery.step_expr);
            optional(&mut map, "offset_expr", &subquery.offset_expr);
            if subquery.at.is_some() {
                map.insert("at".into(), at(subquery.at));
            }
            map
        }
        Expr::Duration(duration) => {
            let mut map = object(json!({"node": "duration", "op": duration.op.as_str()}));
            optional(&mut map, "lhs", &duration.lhs);
            optional(&mut map, "rhs", &duration.rhs);
            if duration.wrapped {
                map.insert("wrapped".into(), json!(true));
            }
            map
        }
    };
    map.insert("pos".into(), pos(expr.pos()));
    Value::Object(map)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| {
        let word = (0..3).fold(0u32, |word, i| word << 8 | chunk.get(i).copied().unwrap_or(0) as u32);
        let digit = |i: u32| DIGITS[(word >> (18 - 6 * i) & 63) as usize] as char;
        (0..4).map(|i| if i as usize <= chunk.len() { digit(i) } else { '=' }).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => unreachable!("an object was given"),
    }
}

/// Drops members that say nothing: null, false, empty lists. The cases leave some of them out.
pub fn essential(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().map(|(k, v)| (k.clone(), essential(v)));
            Value::Object(kept.filter(|(_, v)| !matches!(v, Value::Null | Value::Bool(false))).collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(essential).collect()),
        other => other.clone(),
    }
}
