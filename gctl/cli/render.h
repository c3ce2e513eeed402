// Plain values as text for people: tables, fields, ages, sizes. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "gctl/cli/console.h"
#include "gctl/cli/model.h"

namespace gaggle::cli {

using Row = std::vector<std::string>;

/// Columns two spaces apart, as wide as their widest cell; the last one is not padded. An empty
/// cell is shown as "<none>". Colours inside cells do not count.
std::string table(const std::vector<Row>& rows);
/// "Name  = value" lines with the signs in one column; an empty value is "<none>".
std::string field_list(const std::vector<std::pair<std::string, std::string>>& fields);

/// First eight characters.
std::string short_id(const std::string& id);
/// "just now", "5s ago", "3m20s ago"; "in 5s" for what is yet to come; "" when `then` is not known.
std::string ago(WallTime then, WallTime now);
/// "2026-11-23T08:44:12Z"; "" when not known.
std::string when(WallTime time);
/// An RFC 3339 time cut to seconds; "N/A" for none and for Go's zero time.
std::string when_or_na(const std::string& rfc3339);
/// "64 MiB", "1.5 GiB".
std::string mebibytes(std::int64_t count);
/// "512 B", "1.5 KiB", "20 MiB".
std::string human_bytes(std::int64_t count);
std::string joined(const std::vector<std::string>& parts, std::string_view between);
/// "1 node", "2 nodes".
std::string counted(std::int64_t count, const std::string& noun);
/// Visible columns of a text: code points, without colour codes.
std::size_t width_of(std::string_view text);

/// The tone of a status word of a job, allocation, evaluation, node, task or member.
Tone tone_of(std::string_view status);
/// The word in its tone.
std::string status_text(const Console& console, const std::string& status);

/// Why a group could not be placed: one "* ..." line for each reason, indented by `indent`.
std::string failure_reasons(const Metrics& metrics, const std::string& indent);
/// Candidates with their scores, best first, as a table; "" when there are none.
std::string score_table(const Metrics& metrics, std::size_t id_length);

}  // namespace gaggle::cli
