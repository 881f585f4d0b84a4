//! One picture: what each contender wastes, second by second, on a logarithmic scale.
//!
//! Colours and greys are such that they can be read on white and on black alike, as the picture has no background of its own.

use std::fmt::Write as _;

use crate::contender::Contender;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 240.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 56.0;

/// The scale goes from less than one to a hundred thousand.
const DECADES: f64 = 5.0;

/// Ink for words, and for lines that are not the matter.
const INK: &str = "#808080";

/// A contender's line: seconds since the fault began, and how many requests a second were wasted.
pub struct Line {
    pub contender: Contender,
    pub wasted: Vec<u64>,
}

const fn colour(contender: Contender) -> &'static str {
    match contender {
        Contender::Nobody => "#9a8f86",
        Contender::Alone => "#e0701a",
        Contender::Central => "#a06cd5",
        Contender::Ours => "#1f8fe0",
    }
}

#[allow(clippy::cast_precision_loss, reason = "seconds and requests")]
pub fn svg(title: &str, lasts: u64, lines: &[Line]) -> String {
    let seconds = lines.iter().map(|line| line.wasted.len()).max().unwrap_or(1).max(1) as f64;
    let x = |second: f64| LEFT + (WIDTH - LEFT - RIGHT) * second / seconds;
    // What is less than one a second lies on the axis.
    let y = |wasted: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * wasted.max(0.5).log10().max(0.0) / DECADES;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"{INK}\">\n<title>{title}</title>\n"
    );
    let _ = writeln!(out, "<text x=\"{LEFT}\" y=\"22\" font-size=\"15\" font-weight=\"600\">{title}</text>");
    let fault = (x(0.0), x(lasts as f64 / 1_000.0));
    let _ = writeln!(
        out,
        "<rect x=\"{:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{INK}\" opacity=\"0.12\"/>\n\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" font-size=\"12\">the provider is down</text>",
        fault.0,
        fault.1 - fault.0,
        HEIGHT - TOP - BOTTOM,
        fault.1 - 8.0,
        TOP + 18.0
    );
    for decade in 0..=5 {
        let wasted = 10_f64.powi(decade);
        let label =
            ["≤ 1", "10", "100", "1,000", "10,000", "100,000"].get(decade.unsigned_abs() as usize).copied().unwrap_or_default();
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"{INK}\" stroke-width=\"{}\" opacity=\"{}\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            WIDTH - RIGHT,
            y(wasted),
            y(wasted),
            1,
            if decade == 0 { 1.0 } else { 0.35 },
            LEFT - 8.0,
            y(wasted) + 4.5
        );
    }
    let mut second = 0.0;
    while second <= seconds {
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{second}</text>",
            x(second),
            HEIGHT - BOTTOM + 18.0
        );
        second += 10.0;
    }
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">seconds since the outage began</text>\n\
         <text transform=\"translate(18 {:.1}) rotate(-90)\" text-anchor=\"middle\">requests wasted per second</text>",
        x(seconds / 2.0),
        HEIGHT - 14.0,
        f64::midpoint(TOP, HEIGHT - BOTTOM)
    );
    for (place, line) in lines.iter().enumerate() {
        let mut points = String::new();
        for (second, wasted) in line.wasted.iter().enumerate() {
            let _ = write!(points, "{:.1},{:.1} ", x(second as f64 + 0.5), y(*wasted as f64));
        }
        let (colour, key) = (colour(line.contender), TOP + 12.0 + 24.0 * place as f64);
        let width = if line.contender == Contender::Ours { 3.0 } else { 2.0 };
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"/>\n\
             <line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{key:.1}\" y2=\"{key:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            points.trim_end(),
            WIDTH - RIGHT + 14.0,
            WIDTH - RIGHT + 36.0,
            WIDTH - RIGHT + 42.0,
            key + 4.5,
            line.contender.name()
        );
    }
    out.push_str("</svg>\n");
    out
}
