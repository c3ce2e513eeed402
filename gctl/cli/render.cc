#include "gctl/cli/render.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <map>
#include <set>

namespace gaggle::cli {

namespace {

constexpr std::string_view kNone = "<none>";

std::string padded(const std::string& text, std::size_t width) {
    return text + std::string(width - std::min(width, width_of(text)), ' ');
}

std::string three_digits(double number) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3g", number);
    return text.data();
}

}  // namespace

std::size_t width_of(std::string_view text) {
    std::size_t width = 0;
    bool escape = false;
    for (const char letter : text) {
        if (letter == '\x1b') escape = true;
        const bool continued = (static_cast<unsigned char>(letter) & 0xC0U) == 0x80U;
        if (!escape && !continued) ++width;
        if (escape && letter == 'm') escape = false;
    }
    return width;
}

std::string table(const std::vector<Row>& rows) {
    std::vector<std::size_t> widths;
    for (const Row& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (widths.size() <= i) widths.push_back(0);
            widths[i] = std::max(widths[i], row[i].empty() ? kNone.size() : width_of(row[i]));
        }
    std::string out;
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string cell = row[i].empty() ? std::string(kNone) : row[i];
            out += i + 1 < row.size() ? padded(cell, widths[i]) + "  " : cell;
        }
        out += '\n';
    }
    return out;
}

std::string field_list(const std::vector<std::pair<std::string, std::string>>& fields) {
    std::size_t width = 0;
    for (const auto& [name, value] : fields) width = std::max(width, width_of(name));
    std::string out;
    for (const auto& [name, value] : fields)
        out += padded(name, width) + " = " + (value.empty() ? std::string(kNone) : value) + "\n";
    return out;
}

std::string short_id(const std::string& id) { return id.substr(0, 8); }

std::string ago(WallTime then, WallTime now) {
    if (then.nanoseconds == 0) return "";
    const bool past = then <= now;
    const std::int64_t span =
        past ? now.nanoseconds - then.nanoseconds : then.nanoseconds - now.nanoseconds;
    const std::int64_t seconds = span / 1'000'000'000;
    if (seconds < 1) return "just now";
    const std::string text =
        seconds < 60 ? std::to_string(seconds) + "s" : for_people(std::chrono::seconds(seconds));
    return past ? text + " ago" : "in " + text;
}

std::string when(WallTime time) {
    if (time.nanoseconds == 0) return "";
    return to_rfc3339(time).substr(0, 19) + "Z";
}

std::string when_or_na(const std::string& rfc3339) {
    if (rfc3339.size() < 20 || rfc3339.starts_with("0001-01-01T")) return "N/A";
    return rfc3339.substr(0, 19) + "Z";
}

std::string mebibytes(std::int64_t count) {
    if (count < 1024) return std::to_string(count) + " MiB";
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f GiB", static_cast<double>(count) / 1024);
    std::string out = text.data();
    if (const auto zero = out.find(".0 "); zero != std::string::npos) out.erase(zero, 2);
    return out;
}

std::string human_bytes(std::int64_t count) {
    constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double amount = static_cast<double>(count);
    std::size_t unit = 0;
    for (; amount >= 1024 && unit + 1 < std::size(kUnits); ++unit) amount /= 1024;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", amount,
                  kUnits[unit]);
    std::string out = text.data();
    if (const auto zero = out.find(".0 "); zero != std::string::npos) out.erase(zero, 2);
    return out;
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
    std::string out;
    for (const std::string& part : parts) {
        if (!out.empty()) out += between;
        out += part;
    }
    return out;
}

std::string counted(std::int64_t count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

Tone tone_of(std::string_view status) {
    static const std::map<std::string_view, Tone> kTones{
        {"running", Tone::good},   {"ready", Tone::good},      {"alive", Tone::good},
        {"complete", Tone::good},  {"eligible", Tone::good},   {"pending", Tone::warn},
        {"blocked", Tone::warn},   {"suspect", Tone::warn},    {"initializing", Tone::warn},
        {"unknown", Tone::warn},   {"ineligible", Tone::warn}, {"disconnected", Tone::warn},
        {"failed", Tone::bad},     {"lost", Tone::bad},        {"down", Tone::bad},
        {"canceled", Tone::faint}, {"dead", Tone::faint},      {"stop", Tone::faint},
        {"evict", Tone::warn},     {"left", Tone::faint},      {"passing", Tone::good},
        {"failing", Tone::bad}};
    const auto found = kTones.find(status);
    return found == kTones.end() ? Tone::plain : found->second;
}

std::string status_text(const Console& console, const std::string& status) {
    return console.paint(tone_of(status), status);
}

std::string failure_reasons(const Metrics& metrics, const std::string& indent) {
    std::string out;
    const auto say = [&](const std::string& text) { out += indent + "* " + text + "\n"; };
    if (metrics.evaluated == 0) say("No nodes were eligible for evaluation");
    for (const auto& [datacenter, count] : metrics.available)
        if (count == 0) say("No nodes are available in datacenter \"" + datacenter + "\"");
    for (const auto& [name, count] : metrics.class_filtered)
        say("Class \"" + name + "\": " + counted(count, "node") + " excluded by filter");
    for (const auto& [name, count] : metrics.constraint_filtered)
        say("Constraint \"" + name + "\": " + counted(count, "node") + " excluded by filter");
    if (metrics.exhausted > 0) say("Resources exhausted on " + counted(metrics.exhausted, "node"));
    for (const auto& [name, count] : metrics.class_exhausted)
        say("Class \"" + name + "\" exhausted on " + counted(count, "node"));
    for (const auto& [name, count] : metrics.dimension_exhausted)
        say("Dimension \"" + name + "\" exhausted on " + counted(count, "node"));
    return out;
}

std::string score_table(const Metrics& metrics, std::size_t id_length) {
    std::set<std::string> parts;
    for (const Metrics::Score& score : metrics.scores)
        for (const auto& [name, value] : score.parts)
            if (name != "normalized-score") parts.insert(name);
    if (metrics.scores.empty()) return "";
    std::vector<Row> rows{{"Node"}};
    rows[0].insert(rows[0].end(), parts.begin(), parts.end());
    rows[0].emplace_back("final score");
    auto scores = metrics.scores;
    std::stable_sort(scores.begin(), scores.end(),
                     [](const auto& a, const auto& b) { return a.final_score > b.final_score; });
    for (const Metrics::Score& score : scores) {
        Row& row = rows.emplace_back(Row{score.node_id.substr(0, id_length)});
        for (const std::string& part : parts) {
            const auto found = score.parts.find(part);
            row.push_back(three_digits(found == score.parts.end() ? 0 : found->second));
        }
        row.push_back(three_digits(score.final_score));
    }
    return table(rows);
}

}  // namespace gaggle::cli
