//! The page in Chinese.

use super::{Rough, Text, Words, time};
use function_fetch_engine::status::{Cause, FoundBy, Micros, Source, Standing};
use function_fetch_engine::{ChangeReason, Notice, StoreOperation};

pub(super) struct Chinese;

impl Words for Chinese {
    fn tag(&self) -> &'static str {
        "zh-CN"
    }

    fn text(&self, text: Text) -> &'static str {
        match text {
            Text::Title => "Function Fetch 状态",
            Text::SignIn => "登录",
            Text::Token => "令牌",
            Text::WrongToken => "令牌不正确。",
            Text::SignOut => "退出",
            Text::Pause => "暂停",
            Text::Continue => "继续",
            Text::AsOf => "截至",
            Text::OwnView => {
                "这是作出应答的那个实例所知的情况，其他实例各有所知。许多宿主在 128 个请求后更换实例。"
            }
            Text::Since => "它的第一个请求到达于",
            Text::Warnings => "警告",
            Text::Decision => "决策",
            Text::Primary => "主目标",
            Text::Chosen => "本实例使用",
            Text::StandsInFor => "代替",
            Text::Source => "来源",
            Text::Measured => "测量于",
            Text::Refresh => "下次刷新",
            Text::FreshUntil => "新鲜至",
            Text::UsedUntil => "使用至",
            Text::Change => "何时会改变",
            Text::Targets => "目标",
            Text::Rank => "名次",
            Text::Target => "目标",
            Text::Tier => "层级",
            Text::Weight => "权重",
            Text::Health => "健康状况",
            Text::Latency => "延迟",
            Text::Recent => "最近的探测",
            Text::Until => "直到",
            Text::NoTargets => "没有目标，所以每个请求都得到 500。",
            Text::Events => "最近的事件",
            Text::NoEvents => "本实例中没有。",
            Text::Settings => "生效的设置",
            Text::Setting => "设置",
            Text::Value => "值",
            Text::Hidden => "已设置，不显示",
        }
    }

    fn ago(&self, ms: u64) -> String {
        format!("{}前", rough(ms))
    }

    fn ahead(&self, ms: u64) -> String {
        format!("{}后", rough(ms))
    }

    fn instance(&self, requests: u32) -> String {
        match requests {
            0 => "它还没有收到请求。".to_owned(),
            _ => format!("它已收到 {requests} 个请求。"),
        }
    }

    fn no_decision(&self, probing: bool) -> &'static str {
        if probing {
            "还没有：正在探测目标"
        } else {
            "还没有：下一个请求会引起对目标的探测"
        }
    }

    fn source(&self, source: Source) -> &'static str {
        match source {
            Source::Probes => "本实例的探测",
            Source::Store => "存储：由另一个实例测量",
            Source::List => "FETCH_TARGETS 的顺序：不作测量",
            Source::None => "还没有",
        }
    }

    fn margin(&self, margin: &str, below: Option<&str>) -> String {
        let margin = margin.replace(',', " 和 ");
        let rule = format!("有目标快出 {margin} 中较大者，并在与主目标一同重测时仍然如此");
        match below {
            Some(below) => format!("{rule}：目前须低于 {below}"),
            None => rule,
        }
    }

    fn standing(&self, standing: Standing) -> &'static str {
        match standing {
            Standing::Healthy => "健康",
            Standing::Unmeasured => "尚未测量",
            Standing::Listed => "依次使用",
            Standing::Overdue => "应答逾期",
            Standing::Aside => "暂时让开",
            Standing::Ejected => "已剔除",
            Standing::AwaitsProbe => "已剔除",
            Standing::HalfOpen => "试用中",
        }
    }

    fn outlook(&self, standing: Standing, trials: Option<(u32, u32)>) -> Option<String> {
        let text = match standing {
            Standing::Healthy | Standing::Unmeasured | Standing::Listed => return None,
            Standing::Overdue => "它的应答逾期，正由探测查明它是否存活。",
            Standing::Aside => "它以 Retry-After 要求如此：可以重试的请求发往别处。",
            Standing::Ejected => "之后由一次探测决定。",
            Standing::AwaitsProbe => "探测已到期，将随下一个请求进行。",
            Standing::HalfOpen => {
                let (passed, needed) = trials?;
                return Some(format!(
                    "真实请求的 {needed} 次试用中，它已通过 {passed} 次。"
                ));
            }
        };
        Some(text.to_owned())
    }

    fn cause(&self, cause: &Cause) -> String {
        let why = match (cause.status, cause.error) {
            (Some(status), _) => format!("状态码 {status}"),
            (None, Some(error)) => error.to_owned(),
            (None, None) => "应答逾期".to_owned(),
        };
        match cause.found_by {
            FoundBy::Probe => match cause.status {
                Some(status) => format!("健康检查路径应答了 {status}。"),
                None => format!("健康检查路径没有应答：{why}。"),
            },
            FoundBy::Connection => format!("无法连接到它：{why}。"),
            FoundBy::Requests => {
                let (failed, of) = (cause.failed.unwrap_or(0), cause.of.unwrap_or(0));
                format!("它最近的 {of} 个请求中有 {failed} 个失败，最后一个是：{why}。")
            }
            FoundBy::Latency => "它的应答比另一个目标慢。".to_owned(),
            FoundBy::OtherInstance => "由另一个实例发现；原因见那个实例的日志。".to_owned(),
        }
    }

    fn still_well(&self, status: u16) -> String {
        format!("健康检查路径仍然应答 {status}。")
    }

    fn probes(&self, count: u32) -> String {
        format!("{count} 次探测")
    }

    fn recent(&self, count: usize, failed: usize, range: Option<(Micros, Micros)>) -> String {
        let failed = match failed {
            0 => String::new(),
            _ => format!("，{failed} 次失败"),
        };
        match range {
            Some((least, most)) => {
                format!(
                    "最近 {count} 次探测：{} 至 {}{failed}",
                    time(least),
                    time(most)
                )
            }
            None => format!("最近 {count} 次探测{failed}"),
        }
    }

    fn notice(&self, notice: &Notice, name: &dyn Fn(&str) -> String) -> String {
        match notice {
            Notice::PrimaryChanged { from, to, reason } => {
                let why = match reason {
                    ChangeReason::Probed => "依据探测",
                    ChangeReason::Store => "由另一个实例发现",
                    ChangeReason::Failover => "因为之前的目标失败",
                    ChangeReason::Recovered => "因为它已恢复",
                };
                match from {
                    Some(from) => {
                        format!("主目标由 {} 变为 {}，{why}。", name(from), name(to))
                    }
                    None => format!("主目标是 {}，{why}。", name(to)),
                }
            }
            Notice::Ejected {
                target,
                reason,
                for_ms,
            } => {
                let span = rough(u64::from(*for_ms));
                format!("{} 被剔除 {span}：{reason}。", name(target))
            }
            Notice::Recovered { target } => format!("{} 已恢复。", name(target)),
            Notice::NoHealthyTarget => "没有健康的目标；全部都会尝试。".to_owned(),
            Notice::Denied { target, remedy } => {
                format!("宿主不允许访问 {}：{remedy}。", name(target))
            }
            Notice::HealthPathCached { target, remedy } => {
                format!("关于 {}：{remedy}。", name(target))
            }
            Notice::StoreFailed { operation } => match operation {
                StoreOperation::Read => "无法读取存储。",
                StoreOperation::Write => "无法写入存储。",
            }
            .to_owned(),
            Notice::BadSetting { setting, reason } => format!("{setting}：{reason}。"),
        }
    }
}

fn rough(ms: u64) -> String {
    match Rough::of(ms) {
        Rough::Seconds(count) => format!("{count} 秒"),
        Rough::Minutes(count) => format!("{count} 分钟"),
        Rough::Hours(count) => format!("{count} 小时"),
        Rough::Days(count) => format!("{count} 天"),
    }
}
