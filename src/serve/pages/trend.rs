//! Traffic and what the models say of it, over time, on two axes.

use crate::model::report::Bucket;
use crate::model::time::{human_bytes, human_duration, short};
use crate::model::{FlowId, Ts};
use crate::report::html::charts::{self, CHART_LEFT, RIGHT, WIDTH, px};
use crate::report::html::scale::{TimeAxis, value_ticks};
use crate::report::html::{Told, t};
use crate::report::text::{count, thousands};
use crate::serve::App;
use crate::serve::desk::rows;
use crate::serve::problem::Problem;
use crate::store::Cell;
use duckdb::Connection;
use duckdb::types::Value;
use maud::{Markup, html};
use std::fmt::Write;
use std::sync::Arc;

/// Anomalies that are marked, the strangest.
const MARKED: u64 = 150;
const TOP: f64 = 46.0;
const HEIGHT: f64 = 190.0;
/// The right axis has its numbers beyond this.
const EDGE: f64 = RIGHT - 30.0;

/// What the models say over time.
#[derive(Debug, Default)]
pub struct Trend {
    /// Mean anomaly score of the flows that began in each bucket of the traffic, where any did.
    means: Vec<Option<f64>>,
    /// Flows and windows that models flagged.
    anomalies: Vec<Anomaly>,
}

#[derive(Debug)]
struct Anomaly {
    ts: Ts,
    score: f64,
    flow: Option<FlowId>,
    says: String,
}

/// Asked once per case.
pub async fn of(app: &App) -> Result<Arc<Trend>, Problem> {
    let (from, width, buckets) = (app.report.traffic.from_ns, app.report.traffic.bucket_ns.max(1), app.report.traffic.buckets.len());
    let asked = app.trend.get_or_try_init(|| async move { app.desk.ask(move |conn| ask(conn, from, width, buckets)).await.map(Arc::new) });
    asked.await.cloned()
}

fn ask(conn: &Connection, from: Ts, width: i64, buckets: usize) -> Result<Trend, Problem> {
    let means = "SELECT (flows.ts_ns - ?) // ? AS bucket, avg(anomaly_score) FROM scores JOIN flows USING (flow_id) GROUP BY bucket ORDER BY bucket";
    let mut trend = Trend { means: vec![None; buckets], anomalies: Vec::new() };
    for row in rows(conn, means, &[Value::BigInt(from), Value::BigInt(width)])?.cells {
        let (Some(Cell::Int(bucket)), Some(Cell::Float(mean))) = (row.first(), row.get(1)) else { continue };
        if let Some(place) = usize::try_from(*bucket).ok().and_then(|bucket| trend.means.get_mut(bucket)) {
            *place = Some(*mean);
        }
    }
    let flagged = "SELECT coalesce(anomalies.ts_ns, flows.ts_ns), coalesce(anomaly_score, 1 - p, 1.0), flow_id, anomalies.says \
        FROM (FROM anomalies WHERE flagged ORDER BY score DESC, flow_id, entity LIMIT ?) anomalies \
        LEFT JOIN flows USING (flow_id) LEFT JOIN (SELECT flow_id, anomaly_score FROM scores) USING (flow_id) ORDER BY 1, 3, 4";
    for row in rows(conn, flagged, &[Value::UBigInt(MARKED)])?.cells {
        let (Some(Cell::Int(ts)), Some(Cell::Float(score))) = (row.first(), row.get(1)) else { continue };
        let flow = match row.get(2) {
            Some(Cell::Int(flow)) => u64::try_from(*flow).ok().map(FlowId),
            _ => None,
        };
        let says = row.get(3).map(Cell::to_string).unwrap_or_default();
        trend.anomalies.push(Anomaly { ts: i64::try_from(*ts).unwrap_or(from), score: *score, flow, says });
    }
    Ok(trend)
}

/// Bytes as steps on the left axis, the score as a line on the right one, anomalies as points, findings as triangles.
pub fn chart(app: &App, trend: &Trend, told: &Told) -> Markup {
    let traffic = &app.report.traffic;
    let buckets = &traffic.buckets[..traffic.buckets.len().min(charts::BUCKETS)];
    if buckets.is_empty() {
        return html! {};
    }
    let width = i64::try_from(buckets.len()).unwrap_or(i64::MAX).saturating_mul(traffic.bucket_ns.max(1));
    let axis = TimeAxis::new(traffic.from_ns, traffic.from_ns.saturating_add(width), CHART_LEFT, EDGE - CHART_LEFT);
    let bottom = TOP + HEIGHT;
    let scored = trend.means.iter().flatten().count() > 0;
    let entries = &app.report.timeline[..app.report.timeline.len().min(charts::ENTRIES)];
    html! {
        section #traffic {
            h2 { "Traffic" @if scored { " and anomaly score" } " over time" }
            figure.chart {
                div.scroll tabindex="0" role="group" aria-label="Traffic over time, scrollable" {
                    svg viewBox=(format!("0 0 {WIDTH} {:.0}", bottom + 34.0)) role="img" aria-labelledby="traffic-title traffic-desc" {
                        title #traffic-title { "Traffic and anomaly score over time, with findings and anomalies marked" }
                        desc #traffic-desc { (said(buckets, trend)) }
                        (charts::time_axis(&axis, TOP, bottom))
                        (left(buckets))
                        @if scored { (right(trend)) }
                        (charts::marks(entries, &axis, bottom, told))
                        (probes(app, buckets, trend))
                        @for anomaly in &trend.anomalies { (mark(anomaly, &axis)) }
                    }
                }
                figcaption {
                    span.key-area {} " bytes per " (human_duration(traffic.bucket_ns)) " (left) "
                    @if scored { span.key-score {} " mean anomaly score of the flows that began then, 0 to 1 (right) " }
                    @if !trend.anomalies.is_empty() { span.key-anomaly {} " flagged by a model " }
                    @if !entries.is_empty() { span.key-finding { "▾ findings" } }
                    " · " (axis.dates()) ", UTC."
                    @if !scored { " No model scored the flows of this case." }
                }
            }
        }
    }
}

fn said(buckets: &[Bucket], trend: &Trend) -> String {
    let bytes = buckets.iter().fold(0_u64, |sum, bucket| sum.saturating_add(bucket.bytes));
    let most = trend.means.iter().flatten().copied().fold(0.0, f64::max);
    format!(
        "{} in all; the highest mean score is {most:.2}; {} marked.",
        human_bytes(bytes),
        count(trend.anomalies.len() as u64, "anomaly")
    )
    .replace("anomalys", "anomalies")
}

fn step(buckets: usize) -> f64 {
    (EDGE - CHART_LEFT) / buckets.max(1) as f64
}

fn left(buckets: &[Bucket]) -> Markup {
    let (most, ticks) = value_ticks(buckets.iter().map(|bucket| bucket.bytes).max().unwrap_or(0));
    let y = |value: u64| TOP + HEIGHT * (1.0 - value as f64 / most as f64);
    let mut path = format!("M{CHART_LEFT:.1} {:.1}", TOP + HEIGHT);
    for (index, bucket) in buckets.iter().enumerate() {
        let _ = write!(path, "V{:.1}H{:.1}", y(bucket.bytes), CHART_LEFT + step(buckets.len()) * (index + 1) as f64);
    }
    let _ = write!(path, "V{:.1}Z", TOP + HEIGHT);
    html! {
        g.axis aria-hidden="true" {
            text.axis-name x=(px(CHART_LEFT - 8.0)) y=(px(TOP - 14.0)) text-anchor="end" { "bytes" }
            @for tick in &ticks {
                line.grid x1=(px(CHART_LEFT)) x2=(px(EDGE)) y1=(px(y(*tick))) y2=(px(y(*tick))) {}
                text x=(px(CHART_LEFT - 8.0)) y=(px(y(*tick) + 4.0)) text-anchor="end" { (human_bytes(*tick)) }
            }
        }
        path.area d=(path) {}
    }
}

fn height_of(score: f64) -> f64 {
    TOP + HEIGHT * (1.0 - score.clamp(0.0, 1.0))
}

fn right(trend: &Trend) -> Markup {
    let step = step(trend.means.len());
    let mut path = String::new();
    let mut drawing = false;
    for (index, mean) in trend.means.iter().enumerate() {
        let Some(mean) = mean else { continue };
        // A gap is drawn through: flows do not begin in every bucket.
        let _ = write!(path, "{}{:.1} {:.1}", if drawing { "L" } else { "M" }, CHART_LEFT + step * (index as f64 + 0.5), height_of(*mean));
        drawing = true;
    }
    html! {
        g.axis aria-hidden="true" {
            text.axis-name x=(px(EDGE + 8.0)) y=(px(TOP - 14.0)) { "score" }
            @for tick in [0.0, 0.5, 1.0] { text x=(px(EDGE + 8.0)) y=(px(height_of(tick) + 4.0)) { (format!("{tick:.1}")) } }
        }
        path.score-line d=(path) {}
    }
}

fn mark(anomaly: &Anomaly, axis: &TimeAxis) -> Markup {
    let place = anomaly.flow.map(|flow| format!("/flows/{}", super::segment(&flow.to_string())));
    html! {
        a href=[place] {
            title { (short(anomaly.ts)) ", score " (format!("{:.2}", anomaly.score)) ": " (t(&anomaly.says)) }
            circle.anomaly cx=(px(axis.x(anomaly.ts))) cy=(px(height_of(anomaly.score))) r="3.2" {}
        }
    }
}

/// Invisible columns that say, under the pointer, what their bucket holds.
fn probes(app: &App, buckets: &[Bucket], trend: &Trend) -> Markup {
    let step = step(buckets.len());
    html! {
        @for (index, bucket) in buckets.iter().enumerate().filter(|(_, bucket)| bucket.frames > 0) {
            rect.probe x=(px(CHART_LEFT + step * index as f64)) y=(px(TOP)) width=(px(step)) height=(px(HEIGHT)) {
                title {
                    (short(charts::start_of(index, &app.report.traffic))) ": " (human_bytes(bucket.bytes)) ", " (thousands(bucket.frames)) " frames, "
                    (count(bucket.flows, "new flow"))
                    @if let Some(mean) = trend.means.get(index).copied().flatten() { ", mean score " (format!("{mean:.2}")) }
                }
            }
        }
    }
}
