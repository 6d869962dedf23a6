use std::path::Path;

use plotters::prelude::{
    ChartBuilder, Circle, Color as _, EmptyElement, IntoDrawingArea as _, IntoFont as _,
    IntoLogRange as _, LineSeries, PathElement, RGBColor, SVGBackend, WHITE,
};

use super::bout::Axis;
use super::contenders::FLOOR;
use super::scores::Scores;
use crate::Result;
use crate::table::count;

const SIZE: (u32, u32) = (720, 400);

struct Curve {
    name: &'static str,
    points: Vec<(f64, f64)>,
}

/// Draws what a delivery costs as one thing grows, a file for each thing.
pub(crate) fn draw(scores: &Scores, contenders: &[&'static str], into: &Path) -> Result<()> {
    for axis in [Axis::Clients, Axis::Channels, Axis::Size] {
        let all = contenders.iter().map(|name| Curve { name, points: scores.curve(name, axis) });
        let curves: Vec<_> = all.filter(|curve| !curve.points.is_empty()).collect();
        if !curves.is_empty() {
            plot(axis, &curves, &into.join(format!("growth-{}.svg", axis.name())))?;
        }
    }
    Ok(())
}

fn plot(axis: Axis, curves: &[Curve], file: &Path) -> Result<()> {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let least = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(f64::MAX, f64::min);
    let most = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(0.0, f64::max);
    let across = least(|point| point.0)..most(|point| point.0) * 1.05;
    let up = least(|point| point.1).min(1.0)..most(|point| point.1) * 1.5;
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .margin_right(36)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(across.log_scale(), up.log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .max_light_lines(1)
        .x_desc(axis.description())
        .y_desc("CPU µs a delivery")
        .x_label_formatter(&|value| count(*value as u64))
        .y_label_formatter(&|value| count(*value as u64))
        .label_style(("sans-serif", 13).into_font())
        .draw()?;
    for Curve { name, points } in curves {
        let colour = colour(name);
        let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2));
        chart
            .draw_series(line)?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
        let dots = points
            .iter()
            .map(|point| EmptyElement::at(*point) + Circle::new((0, 0), 3, colour.filled()));
        chart.draw_series(dots)?;
    }
    chart.configure_series_labels().background_style(WHITE).border_style(WHITE).draw()?;
    Ok(area.present()?)
}

/// The same in all plots, whoever is in them.
fn colour(name: &str) -> RGBColor {
    match name {
        FLOOR => RGBColor(120, 120, 120),
        "redwire" => RGBColor(200, 30, 40),
        _ => RGBColor(30, 90, 200),
    }
}
