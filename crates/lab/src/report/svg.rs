//! Line graphs and strips as SVG text. Colours are told apart by the colour-blind; states have a shape too.

use crate::series::Point;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 60.0;
/// Of members a and b.
pub const COLOURS: [&str; 2] = ["#0072B2", "#E69F00"];

/// A stretch of the run with a name, drawn behind every graph.
pub struct Band {
    pub name: &'static str,
    pub from_ms: i64,
    pub to_ms: i64,
    pub colour: &'static str,
}

pub struct Axis {
    pub from_ms: i64,
    pub to_ms: i64,
    pub bands: Vec<Band>,
}

impl Axis {
    #[expect(clippy::cast_precision_loss, reason = "the length of a run in ms")]
    fn x(&self, t_ms: i64) -> f64 {
        let span = (self.to_ms - self.from_ms).max(1) as f64;
        LEFT + (t_ms - self.from_ms) as f64 / span * (WIDTH - LEFT)
    }

    fn bands(&self, height: f64) -> String {
        self.bands
            .iter()
            .map(|band| {
                let (x, to) = (self.x(band.from_ms), self.x(band.to_ms));
                format!(
                    "<rect x=\"{x:.1}\" y=\"0\" width=\"{:.1}\" height=\"{height}\" fill=\"{}\" opacity=\"0.18\">\
                     <title>{}</title></rect>",
                    (to - x).max(1.0),
                    band.colour,
                    band.name
                )
            })
            .collect()
    }
}

/// One line per member; a line breaks where more than `gap_ms` passed without a sample.
pub fn lines(
    axis: &Axis,
    members: &[(&str, Vec<Point>)],
    gap_ms: i64,
    top: f64,
    unit: impl Fn(f64) -> String,
) -> String {
    let top = if top > 0.0 { top } else { 1.0 };
    let y = |v: f64| HEIGHT - 4.0 - (v / top).clamp(0.0, 1.0) * (HEIGHT - 12.0);
    let mut body = axis.bands(HEIGHT);
    for share in [0.0, 0.5, 1.0] {
        let (at, label) = (y(top * share), unit(top * share));
        body.push_str(&format!(
            "<line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#8884\"/>\
             <text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            LEFT - 6.0,
            at + 4.0
        ));
    }
    for (index, (name, points)) in members.iter().enumerate() {
        let mut path = String::new();
        let mut last: Option<i64> = None;
        for point in points {
            let joined = last.is_some_and(|t| point.t_ms - t <= gap_ms);
            path.push_str(&format!(
                "{}{:.1} {:.1}",
                if joined { 'L' } else { 'M' },
                axis.x(point.t_ms),
                y(point.v)
            ));
            last = Some(point.t_ms);
        }
        let (colour, dash) = (COLOURS[index % 2], ["", " stroke-dasharray=\"5 3\""][index % 2]);
        body.push_str(&format!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash}><title>{name}</title></path>"
        ));
    }
    figure(HEIGHT, &body)
}

/// One mark per event: a filled bar when `ok`, an open low one when not.
pub fn strip(axis: &Axis, name: &str, marks: &[(i64, bool)], colour: &str) -> String {
    let height = 22.0;
    let mut body = axis.bands(height);
    body.push_str(&format!("<text x=\"{:.0}\" y=\"15\" text-anchor=\"end\">{name}</text>", LEFT - 6.0));
    for (t, ok) in marks {
        let x = axis.x(*t);
        body.push_str(&if *ok {
            format!("<rect x=\"{x:.1}\" y=\"3\" width=\"3\" height=\"16\" fill=\"{colour}\"/>")
        } else {
            format!("<path d=\"M{x:.1} 5l6 12m0 -12l-6 12\" stroke=\"#D55E00\" stroke-width=\"2\"/>")
        });
    }
    figure(height, &body)
}

fn figure(height: f64, body: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\">{body}</svg>\n"
    )
}
