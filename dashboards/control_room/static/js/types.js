/**
 * The shapes of the HTTP API, as the page reads them. Times are RFC 3339 strings; `ms()` of format.js turns them into
 * milliseconds of the server's clock.
 *
 * @typedef {Record<string, string>} Texts                   the same text by language: {en, zh}
 * @typedef {"critical"|"high"|"medium"|"low"} Severity
 * @typedef {string|number|null|undefined} Time
 *
 * @typedef {object} Evidence
 * @property {number} seq
 * @property {string} device
 * @property {string} kind
 * @property {Time} received
 * @property {Record<string, unknown>} data
 *
 * @typedef {object} Shelving
 * @property {string} by
 * @property {string} reason
 * @property {Time} from_at
 * @property {Time} until_at
 * @property {string} kind
 * @property {string|null} [outage]
 *
 * @typedef {object} Alert
 * @property {string} id
 * @property {string} site
 * @property {string} rule
 * @property {string} scope
 * @property {Severity} severity
 * @property {"unacknowledged"|"acknowledged"|"returned"|"closed"} state
 * @property {Texts} title
 * @property {Texts} reason
 * @property {Texts} advice
 * @property {Texts} consequence
 * @property {string|null} device
 * @property {string|null} zone
 * @property {string|null} building
 * @property {Time} raised_at
 * @property {Time} last_at
 * @property {Time} returned_at
 * @property {Time} acknowledged_at
 * @property {string|null} acknowledged_by
 * @property {Time} closed_at
 * @property {string|null} closed_by
 * @property {boolean} active
 * @property {boolean} latched
 * @property {boolean} momentary
 * @property {number} count
 * @property {boolean} chattering
 * @property {Record<string, unknown>} values
 * @property {Evidence[]} evidence
 * @property {{by: string, written_at: Time, text: string}[]} comments
 * @property {Shelving|null} shelving
 * @property {{by: string, reason: string, minutes: number, until_at: Time}|null} [shelving_asked]
 * @property {string|null} work_order
 * @property {string|null} plan_run
 * @property {string|null} parent
 * @property {number} children
 * @property {Child[]} [symptoms]
 * @property {number} version
 * @property {string|null} [owner]
 * @property {Time} [owner_at]
 * @property {Escalation|null} [escalation]
 * @property {string|null} [outage]  The window that takes its device out of service while it stays in sight.
 * @property {string|null} [first_out]  What came first of its zone and system; itself where it did.
 * @property {boolean} [stale]
 * @property {boolean} [never_shelved]
 *
 * @typedef {object} Escalation  Where an alert stands in its chain; `told` has a line a level that was reached.
 * @property {string} chain
 * @property {number} level
 * @property {number} levels
 * @property {"running"|"stopped"|"exhausted"} state
 * @property {string} stopped_by
 * @property {Time} next_at
 * @property {{level: number, told_at: Time, people: string[], by: string[], note: string, missed: string[]}[]} told
 *
 * @typedef {object} Child  What an alert explains.
 * @property {string} id
 * @property {string} rule
 * @property {string} scope
 * @property {Severity} severity
 * @property {Texts} title
 * @property {string|null} device
 * @property {Time} came_at
 * @property {number} count
 * @property {string|null} folded
 *
 * @typedef {object} LogEntry
 * @property {string} by
 * @property {Time} entry_at
 * @property {string} action
 * @property {string} text
 *
 * @typedef {object} WorkOrder
 * @property {string} id
 * @property {string} number
 * @property {string} site
 * @property {Texts} title
 * @property {"open"|"assigned"|"accepted"|"in_progress"|"done"|"verified"|"closed"} state
 * @property {string} source
 * @property {string} team
 * @property {string|null} assignee
 * @property {Severity} priority
 * @property {string|null} device
 * @property {string|null} zone
 * @property {string|null} alert
 * @property {boolean} needs_proof
 * @property {Time} opened_at
 * @property {string} opened_by
 * @property {Time} respond_by
 * @property {Time} resolve_by
 * @property {Time} responded_at
 * @property {Time} resolved_at
 * @property {Time} closed_at
 * @property {boolean} respond_overdue
 * @property {boolean} resolve_overdue
 * @property {number} reopened
 * @property {string} [kind]
 * @property {string|null} [owner]
 * @property {string} [outcome]
 * @property {string} [text]
 * @property {string|null} [tracking]
 * @property {Time} [arrived_at]
 * @property {{reason: string, paused_at: Time}|null} [pause]
 * @property {{reason: string, until_by: Time}|null} [deferral]
 * @property {{name: string, phone: string, address: string}|null} [requester]
 * @property {{name: string, quantity: number}[]} [parts]
 * @property {number} [cost_cents]
 * @property {boolean|null} [founded]
 * @property {{sha256: string, name: string}[]} [files]
 * @property {{score: number, text: string}|null} [rating]
 * @property {{satisfied: boolean}|null} [visit]
 * @property {boolean} [visit_wanted]
 * @property {LogEntry[]} log
 * @property {number} version
 *
 * @typedef {object} StepRun
 * @property {string} id
 * @property {Texts} title
 * @property {boolean} automatic
 * @property {string} role
 * @property {"waiting"|"active"|"done"|"failed"|"skipped"|"overdue"} state
 * @property {string[]} after
 * @property {number|null} within
 * @property {Time} started_at
 * @property {Time} finished_at
 * @property {string|null} done_by
 * @property {string} note
 * @property {Time} complete_by
 * @property {string[]} commands
 * @property {string[]} left_out
 * @property {Texts} advice
 * @property {Record<string, unknown>} command
 * @property {Record<string, Texts>} [answers]
 * @property {string} [answer]
 * @property {boolean} [not_needed]
 * @property {string[]} [escalated]
 *
 * @typedef {object} PlanRun
 * @property {string} id
 * @property {string} plan
 * @property {string} site
 * @property {Texts} title
 * @property {"running"|"proposed"|"finished"|"stopped"|"lapsed"} state
 * @property {boolean} drill
 * @property {string|null} alert
 * @property {string|null} device
 * @property {string|null} zone
 * @property {Time} started_at
 * @property {string} started_by
 * @property {Time} finished_at
 * @property {StepRun[]} steps
 * @property {LogEntry[]} log
 * @property {number} version
 * @property {Texts} [scenario]
 * @property {Texts} [watch]
 * @property {number|null} [score]
 * @property {string|null} [preempted_by]
 *
 * @typedef {object} Plan
 * @property {string} id
 * @property {Texts} title
 * @property {{id: string, title: Texts, automatic?: boolean}[]} steps
 *
 * @typedef {object} Command
 * @property {string} id
 * @property {string} site
 * @property {string} device
 * @property {string} name
 * @property {Record<string, unknown>} args
 * @property {"pending"|"sent"|"done"|"rejected"|"failed"|"expired"|"unknown"} state
 * @property {string} by
 * @property {string} reason
 * @property {Time} requested_at
 * @property {Time} sent_at
 * @property {Time} finished_at
 * @property {Time} expires
 * @property {string} detail
 * @property {string|null} alert
 * @property {string|null} plan_run
 * @property {number} version
 * @property {boolean} needs_second
 * @property {string|null} second_by
 * @property {""|"waiting"|"observed"|"missing"} observation
 *
 * @typedef {object} Selection
 * @property {string|null} confirm
 * @property {number} confirm_within
 * @property {{id: string, reason: Texts}[]} blocked
 * @property {boolean} needs_reason
 * @property {boolean} needs_second
 *
 * @typedef {{data: Record<string, unknown>, received: Time, time: Time}} KindState
 *
 * @typedef {object} Device
 * @property {string} id
 * @property {string} site
 * @property {string} adapter
 * @property {string} external_id
 * @property {string} type
 * @property {Texts} name
 * @property {string|null} zone
 * @property {string|null} building
 * @property {string|null} connected_via
 * @property {string|null} powered_by
 * @property {number} report_interval
 * @property {boolean} enabled
 * @property {boolean|null} online
 * @property {Time} last_at
 * @property {Record<string, KindState>} state
 * @property {string[]} [commands]
 *
 * @typedef {object} Pass
 * @property {string} id
 * @property {string} site
 * @property {string} kind
 * @property {string} value
 * @property {string} name
 * @property {string[]} zones
 * @property {Time} from_at
 * @property {Time} until_at
 * @property {boolean} blocked
 * @property {boolean} visitor
 * @property {string} note
 * @property {Time} created_at
 * @property {string} created_by
 * @property {string} [days]
 * @property {string} [hours]
 * @property {string} [household]
 * @property {boolean} [inside]
 * @property {string} [host]
 * @property {string} [picture]
 * @property {number|null} [spaces]
 * @property {number|null} [entries]
 * @property {number} [used]
 * @property {number} [issue]
 * @property {boolean} [anti_passback]
 * @property {number} [version]
 *
 * @typedef {{id: string, name: Texts, timezone?: string}} Site
 * @typedef {{id: string, site: string, name: Texts, kind: string, parent: string|null}} Zone
 * @typedef {{id: string, device: string, kind: string, time: Time, received: Time, data: Record<string, unknown>}} DeviceEvent
 * @typedef {{type: string, title: Texts, unit?: string, history?: boolean, values?: string[]}} Field
 * @typedef {{name: string, title: Texts, fields: Record<string, Field>, record?: string}} Kind
 * @typedef {{name: string, role: string, sites: string[], csrf: string, language?: string}} Session
 */
export {};
