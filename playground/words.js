// What the page says, in English and Chinese.

const en = {
  title: "Function Fetch playground",
  about:
    "Five targets, twelve edge locations, sixty requests a second. The real engine of Function Fetch and other policies decide where they go, in the simulator of the documentation. Break a target.",
  otherLanguage: "中文",
  presets: "Scenes",
  "preset.hangs": "A target hangs",
  "preset.hangs.about":
    "C, the fastest, answers nothing from 0:40 to 2:00: packets vanish, and nobody is told.",
  "preset.brown-out": "Brown-out",
  "preset.brown-out.about": "C, the fastest, takes ten times as long from 0:40 to 2:40.",
  "preset.flapping": "Flapping",
  "preset.flapping.about":
    "C, the fastest by far, refuses connections every other five seconds from 0:40 to 3:20.",
  "preset.bad-region": "Bad region",
  "preset.bad-region.about":
    "C cannot be reached from one region from 0:40 to 2:00, and from the others it can.",
  "preset.lying-health": "Lying health check",
  "preset.lying-health.about":
    "C never answers requests from 0:40 to 2:40, and its health path answers as ever.",
  "preset.steady": "Nothing happens",
  "preset.steady.about":
    "B and C are within 5 % of each other: does a policy stay with one, or move to and fro?",
  transport: "Time",
  play: "Play",
  pause: "Pause",
  step: "+10 s",
  restart: "Start again",
  speed: "Speed",
  seed: "Seed",
  instances: "Instances live",
  "instances.long": "on, as in Node.js",
  "instances.short": "for 128 requests, as on Spin",
  copy: "Copy link",
  copied: "The link is copied. It shows the same again: seed, scene, and what you changed when.",
  notCopied: "The browser did not allow it: copy the address of this page.",
  restarted: "Started again: {preset}.",
  badSeed: "A seed is a whole number from 0 to 4294967295.",
  badLink: "The link has parts that mean nothing here: {parts}.",
  failed: "The simulator could not be loaded: {reason}",
  loading: "The simulator is being loaded.",
  targets: "Targets",
  latency: "Round trip of {target}",
  fault: "Fault of {target}",
  ms: "{ms} ms",
  seconds: "{s} s",
  "fault.none": "well",
  "fault.slow": "ten times as slow",
  "fault.refuse": "refuses connections",
  "fault.hang": "hangs",
  "fault.stall-requests": "hangs, health path well",
  "fault.fail-requests": "30 % are 503, health path well",
  "fault.fail-fast": "503 within 1 ms",
  "fault.flap": "flaps every 5 s",
  "fault.hang-in-region": "unreachable from {region}",
  "region.north-america": "North America",
  "region.south-america": "South America",
  "region.europe": "Europe",
  "region.asia": "Asia",
  "region.oceania": "Oceania",
  "region.africa": "Africa",
  world: "Locations, drawn from the seed: {regions}.",
  policies: "Policies",
  chartsAbout:
    "Left: who gets the requests, second by second. Right: the latency’s p50 and p99. Both show the last two minutes; the figures are of the last ten seconds, probes of the last minute.",
  shareChart: "Share of requests by target, two minutes",
  latencyChart: "p50 and p99 latency, two minutes",
  p50: "p50",
  p99: "p99",
  errors: "Errors",
  waiting: "Waiting",
  probes: "Probes",
  share: "Requests to",
  nobody: "nobody",
  choose: "Choose policies",
  chooseAbout: "A change starts again.",
  told: "What Function Fetch reports",
  toldAbout: "As its lines on stderr do, from all locations; alike ones together.",
  "told.primary_changed": "from {from} to {to} ({reason})",
  "told.ejected": "{target} gets no requests for now: {reason}",
  "told.recovered": "{target} is well again",
  "told.no_healthy_target": "no target is healthy",
  "told.store_failed": "the store failed ({operation})",
  "reason.probed": "a probe found it faster",
  "reason.store": "the store says so",
  "reason.failover": "the other one failed",
  "reason.recovered": "it has recovered",
  "told.locations": "{count} locations",
  "told.location": "location {number}, {region}",
  "policy.ours": "Function Fetch",
  "policy.ours.about": "The real engine with its default settings.",
  "policy.ours-spread": "Function Fetch, spread",
  "policy.ours-spread.about": "With FETCH_SPREAD: targets within the margin share the traffic.",
  "policy.ours-hedge": "Function Fetch, hedging",
  "policy.ours-hedge.about": "With FETCH_HEDGE_MS=500: a second attempt when the first is slow.",
  "policy.ours-race": "Function Fetch, race",
  "policy.ours-race.about": "With FETCH_COLD_START=race: the first requests go to several.",
  "policy.cache-the-fastest": "Cache the fastest",
  "policy.cache-the-fastest.about":
    "The TypeScript original: probes once, and each success keeps the choice.",
  "policy.cache-for-a-ttl": "Cache for a TTL",
  "policy.cache-for-a-ttl.about": "Probes all every five minutes, and takes the fastest.",
  "policy.static-order": "Static order",
  "policy.static-order.about": "The first of the list, then the next (Caddy’s first).",
  "policy.round-robin": "Round robin",
  "policy.round-robin.about": "Each in turn; one that failed is left out for 10 s (nginx).",
  "policy.p2c-peak-ewma": "Power of two choices",
  "policy.p2c-peak-ewma.about":
    "The less loaded of two by peak EWMA; five failures in a row leave one out (Finagle, Linkerd).",
  "policy.url-test": "url-test",
  "policy.url-test.about":
    "Probes every three minutes, with 50 ms of tolerance and no retry (sing-box).",
  "policy.outlier-detection": "Outlier detection",
  "policy.outlier-detection.about":
    "Each in turn; five errors in a row eject one for 30 s (Envoy’s defaults).",
  "policy.failure-accrual": "Failure accrual",
  "policy.failure-accrual.about":
    "Power of two choices, and a success rate below 80 % leaves one out (Finagle, linkerd 1).",
  "policy.oracle": "Oracle",
  "policy.oracle.about": "Knows everything in advance: what no policy can beat.",
};

/** @typedef {keyof typeof en} Word */

/** @type {Record<Word, string>} */
const zh = {
  title: "Function Fetch 演练场",
  about:
    "五个目标、十二个边缘位置、每秒六十个请求。Function Fetch 的真实引擎与其他策略在文档所用的模拟器里决定请求的去向。弄坏一个目标试试。",
  otherLanguage: "English",
  presets: "场景",
  "preset.hangs": "目标挂起",
  "preset.hangs.about": "最快的 C 从 0:40 到 2:00 不作任何应答：数据包消失，没有任何提示。",
  "preset.brown-out": "变慢",
  "preset.brown-out.about": "最快的 C 从 0:40 到 2:40 耗时变为十倍。",
  "preset.flapping": "时好时坏",
  "preset.flapping.about": "明显最快的 C 从 0:40 到 3:20 每隔五秒拒绝连接五秒。",
  "preset.bad-region": "区域故障",
  "preset.bad-region.about": "从 0:40 到 2:00，一个区域访问不到 C，其他区域正常。",
  "preset.lying-health": "健康检查失真",
  "preset.lying-health.about": "从 0:40 到 2:40，C 不应答任何请求，而健康检查路径一切正常。",
  "preset.steady": "平静无事",
  "preset.steady.about": "B 与 C 相差不到 5 %：策略会固守其一，还是来回切换？",
  transport: "时间",
  play: "播放",
  pause: "暂停",
  step: "+10 秒",
  restart: "重新开始",
  speed: "速度",
  seed: "种子",
  instances: "实例寿命",
  "instances.long": "持续运行，如 Node.js",
  "instances.short": "128 个请求，如 Spin",
  copy: "复制链接",
  copied: "链接已复制。打开它会重现同样的过程：种子、场景，以及您在何时改了什么。",
  notCopied: "浏览器不允许复制：请直接复制本页地址。",
  restarted: "已重新开始：{preset}。",
  badSeed: "种子是 0 到 4294967295 的整数。",
  badLink: "链接中有无法识别的部分：{parts}。",
  failed: "无法加载模拟器：{reason}",
  loading: "正在加载模拟器。",
  targets: "目标",
  latency: "{target} 的往返时间",
  fault: "{target} 的故障",
  ms: "{ms} 毫秒",
  seconds: "{s} 秒",
  "fault.none": "正常",
  "fault.slow": "慢十倍",
  "fault.refuse": "拒绝连接",
  "fault.hang": "挂起",
  "fault.stall-requests": "挂起，健康检查正常",
  "fault.fail-requests": "30 % 返回 503，健康检查正常",
  "fault.fail-fast": "1 毫秒内返回 503",
  "fault.flap": "每 5 秒时好时坏",
  "fault.hang-in-region": "{region}无法访问",
  "region.north-america": "北美洲",
  "region.south-america": "南美洲",
  "region.europe": "欧洲",
  "region.asia": "亚洲",
  "region.oceania": "大洋洲",
  "region.africa": "非洲",
  world: "由种子抽取的位置：{regions}。",
  policies: "策略",
  chartsAbout:
    "左图：每一秒的请求去了哪里。右图：延迟的 p50 与 p99。两图都是最近两分钟；数字是最近十秒的，探测数是最近一分钟的。",
  shareChart: "两分钟内各目标的请求占比",
  latencyChart: "两分钟内的 p50 与 p99 延迟",
  p50: "p50",
  p99: "p99",
  errors: "错误",
  waiting: "等待中",
  probes: "探测",
  share: "请求去向",
  nobody: "无",
  choose: "选择策略",
  chooseAbout: "改变后会重新开始。",
  told: "Function Fetch 的报告",
  toldAbout: "即它写到 stderr 的内容，来自所有位置；相同的合并显示。",
  "told.primary_changed": "从 {from} 改为 {to}（{reason}）",
  "told.ejected": "{target} 暂时不再接收请求：{reason}",
  "told.recovered": "{target} 已恢复",
  "told.no_healthy_target": "没有健康的目标",
  "told.store_failed": "存储失败（{operation}）",
  "reason.probed": "探测发现它更快",
  "reason.store": "来自存储",
  "reason.failover": "原目标失败",
  "reason.recovered": "它已恢复",
  "told.locations": "{count} 个位置",
  "told.location": "位置 {number}，{region}",
  "policy.ours": "Function Fetch",
  "policy.ours.about": "真实引擎，默认设置。",
  "policy.ours-spread": "Function Fetch，分摊",
  "policy.ours-spread.about": "启用 FETCH_SPREAD：差距之内的目标分摊流量。",
  "policy.ours-hedge": "Function Fetch，对冲",
  "policy.ours-hedge.about": "FETCH_HEDGE_MS=500：第一次尝试慢时再发第二次。",
  "policy.ours-race": "Function Fetch，竞速",
  "policy.ours-race.about": "FETCH_COLD_START=race：最初的请求同时发往多个目标。",
  "policy.cache-the-fastest": "缓存最快者",
  "policy.cache-the-fastest.about": "TypeScript 原版：只探测一次，每次成功都会延续这一选择。",
  "policy.cache-for-a-ttl": "缓存一个 TTL",
  "policy.cache-for-a-ttl.about": "每五分钟探测所有目标，取最快者。",
  "policy.static-order": "固定顺序",
  "policy.static-order.about": "列表中的第一个，然后下一个（Caddy 的 first）。",
  "policy.round-robin": "轮询",
  "policy.round-robin.about": "依次轮流；失败者停用 10 秒（nginx）。",
  "policy.p2c-peak-ewma": "二选一",
  "policy.p2c-peak-ewma.about":
    "按峰值 EWMA 从两个中取负载较轻者；连续五次失败则停用（Finagle、Linkerd）。",
  "policy.url-test": "url-test",
  "policy.url-test.about": "每三分钟探测一次，容差 50 毫秒，不重试（sing-box）。",
  "policy.outlier-detection": "离群检测",
  "policy.outlier-detection.about": "依次轮流；连续五次错误则剔除 30 秒（Envoy 默认值）。",
  "policy.failure-accrual": "失败累积",
  "policy.failure-accrual.about": "二选一，成功率低于 80 % 也会停用（Finagle、linkerd 1）。",
  "policy.oracle": "先知",
  "policy.oracle.about": "预知一切：任何策略都无法超越。",
};

export const WORDS = { en, zh };

/** @typedef {keyof typeof WORDS} Language */

/**
 * The language of a link, or else the first of the browser's that there is.
 * @param {string | undefined} asked
 * @param {readonly string[]} preferred
 * @returns {Language}
 */
export function languageOf(asked, preferred) {
  for (const tag of asked === undefined ? preferred : [asked, ...preferred]) {
    const language = tag.toLowerCase().split("-")[0];
    if (language === "en" || language === "zh") return language;
  }
  return "en";
}

/**
 * What is said in a language, with values in the place of their names.
 * @param {Language} language
 */
export function sayer(language) {
  return (/** @type {Word} */ word, /** @type {Record<string, string | number>} */ values = {}) =>
    WORDS[language][word].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** @typedef {ReturnType<typeof sayer>} Say */

/** A word whose name is put together, of which not all parts are known here.
 * @type {(word: string) => word is Word} */
export function isWord(word) {
  return Object.hasOwn(en, word);
}
