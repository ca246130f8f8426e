"""Why a door or barrier was answered so, in words."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, Mapping[str, str]] = {
    "pass": {"en": "It has a pass.", "zh": "有通行证。"},
    "no_pass": {"en": "There is no pass for it.", "zh": "没有通行证。"},
    "outside_window": {"en": "Its pass is not yet, or no longer, in force.", "zh": "通行证尚未生效或已过期。"},
    "outside_hours": {"en": "Its pass is for other days or hours.", "zh": "不在通行证允许的星期或时段。"},
    "wrong_zone": {"en": "Its pass is for another place.", "zh": "通行证不含此区域。"},
    "blocked": {"en": "It is on the list of those refused.", "zh": "已列入黑名单。"},
    "already_inside": {
        "en": "By its pass it is inside already, and has not left.",
        "zh": "该通行证已在场内，尚未离开。",
    },
    "no_space": {"en": "All spaces of its household are taken.", "zh": "该户车位已满。"},
    "used_up": {"en": "It has entered as often as its pass allows.", "zh": "通行证的次数已用完。"},
    "just_used": {
        "en": "The code was taken a moment ago; show it again in a few seconds.",
        "zh": "该二维码刚刚使用过，请稍候几秒再试。",
    },
    "bad_code": {"en": "The code was not made here, or is damaged.", "zh": "二维码不是本系统签发或已损坏。"},
    "void_code": {
        "en": "The code was replaced by a newer one, or its pass was taken away.",
        "zh": "二维码已被新码替换，或通行证已撤销。",
    },
    "code_over": {"en": "The code has expired.", "zh": "二维码已过期。"},
    "unread": {"en": "It could not be read.", "zh": "未能识别。"},
    "late": {"en": "The question came too late to be answered.", "zh": "请求超时。"},
    "replay": {"en": "The device told history, nobody stands there.", "zh": "设备补传的历史记录。"},
}
