use std::path::Path;

use plotters::prelude::{
    ChartBuilder, Circle, Color as _, EmptyElement, IntoDrawingArea as _, IntoFont as _,
    IntoLogRange as _, LineSeries, Palette as _, Palette99, PathElement, SVGBackend, WHITE,
};

use super::bout::Axis;
use super::scores::Scores;
use crate::Result;

const SIZE: (u32, u32) = (720, 400);

/// Draws what a delivery costs as one thing grows, a file for each thing.
pub(crate) fn draw(scores: &Scores, contenders: &[&'static str], into: &Path) -> Result<()> {
    for axis in [Axis::Clients, Axis::Channels, Axis::Size] {
        let curves: Vec<_> = contenders
            .iter()
            .map(|contender| (*contender, scores.curve(contender, axis)))
            .filter(|(_, curve)| !curve.is_empty())
            .collect();
        if !curves.is_empty() {
            plot(axis, &curves, &into.join(format!("growth-{}.svg", axis.name())))?;
        }
    }
    Ok(())
}

type Curve = Vec<(f64, f64)>;

fn plot(axis: Axis, curves: &[(&str, Curve)], file: &Path) -> Result<()> {
    let points = || curves.iter().flat_map(|(_, curve)| curve);
    let least = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(f64::MAX, f64::min);
    let most = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(0.0, f64::max);
    let across = least(|point| point.0)..most(|point| point.0) * 1.05;
    let up = least(|point| point.1).min(1.0)..most(|point| point.1) * 1.5;
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(across.log_scale(), up.log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc(axis.description())
        .y_desc("CPU µs a delivery")
        .label_style(("sans-serif", 13).into_font())
        .draw()?;
    for (number, (name, curve)) in curves.iter().enumerate() {
        let colour = Palette99::pick(number);
        let line = LineSeries::new(curve.iter().copied(), colour.stroke_width(2));
        chart.draw_series(line)?.label(*name).legend(move |(x, y)| {
            PathElement::new([(x, y), (x + 16, y)], Palette99::pick(number).stroke_width(2))
        });
        chart.draw_series(
            curve
                .iter()
                .map(|point| EmptyElement::at(*point) + Circle::new((0, 0), 3, colour.filled())),
        )?;
    }
    chart.configure_series_labels().background_style(WHITE).border_style(WHITE).draw()?;
    Ok(area.present()?)
}
