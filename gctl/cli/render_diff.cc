#include "gctl/cli/render_diff.h"

#include <algorithm>

#include "gctl/cli/render.h"

namespace gaggle::cli {

namespace {

std::string marker_of(const std::string& type) {
    if (type == "Added") return "+   ";
    if (type == "Deleted") return "-   ";
    if (type == "Edited") return "+/- ";
    return "    ";
}

Tone marker_tone(const std::string& type) {
    if (type == "Added") return Tone::good;
    if (type == "Deleted") return Tone::bad;
    if (type == "Edited") return Tone::warn;
    return Tone::plain;
}

/// One kind of thing inside a job. `label` is "" for an object, whose name stands alone.
struct Level {
    std::size_t depth = 0;
    const char* label = "";
};

class Printer {
  public:
    Printer(const Console& console, bool verbose) : console_(console), verbose_(verbose) {}

    void part(const Diff& diff, Level level) {
        std::string head = *level.label == '\0'
                               ? diff.name + " {"
                               : std::string(level.label) + ": \"" + diff.name + "\"";
        head += annotations_of(diff);
        line(diff.type, level.depth, console_.paint(Tone::strong, head));
        if (detailed(diff, level)) {
            fields(diff, level.depth + 1);
            for (const Diff& object : diff.objects)
                if (shown(object.type)) part(object, {.depth = level.depth + 1, .label = ""});
        }
        const char* below = std::string_view(level.label) == "Job" ? "Task Group" : "Task";
        for (const Diff& inner : diff.parts)
            if (shown(inner.type) || !inner.annotations.empty() || !inner.updates.empty())
                part(inner, {.depth = level.depth + 1, .label = below});
        if (*level.label == '\0') line(diff.type, level.depth, "}");
    }

    std::string take() { return std::move(out_); }

  private:
    /// A whole new job says nothing by its hundred fields; the job file is at hand.
    bool detailed(const Diff& diff, Level level) const {
        return verbose_ || diff.type == "Edited" || *level.label == '\0';
    }

    bool shown(const std::string& type) const { return verbose_ || type != "None"; }

    void line(const std::string& type, std::size_t depth, const std::string& text) {
        out_ += console_.paint(marker_tone(type), marker_of(type)) + std::string(depth * 2, ' ') +
                text + "\n";
    }

    void fields(const Diff& diff, std::size_t depth) {
        std::size_t width = 0;
        for (const FieldDiff& field : diff.fields)
            if (shown(field.type)) width = std::max(width, width_of(field.name));
        for (const FieldDiff& field : diff.fields) {
            if (!shown(field.type)) continue;
            const std::string gap(width - width_of(field.name) + 1, ' ');
            std::string text = field.name + ":" + gap;
            if (field.type == "Edited")
                text += "\"" + field.before + "\" => \"" + field.after + "\"";
            else
                text += "\"" + (field.type == "Deleted" ? field.before : field.after) + "\"";
            if (!field.annotations.empty())
                text += console_.paint(Tone::faint, " (" + joined(field.annotations, ", ") + ")");
            line(field.type, depth, text);
        }
    }

    std::string annotations_of(const Diff& diff) const {
        std::vector<std::string> parts = diff.annotations;
        for (const auto& [what, count] : diff.updates)
            if (count > 0) parts.push_back(std::to_string(count) + " " + what);
        return parts.empty() ? "" : " (" + joined(parts, ", ") + ")";
    }

    const Console& console_;
    bool verbose_;
    std::string out_;
};

}  // namespace

std::string diff_text(const Console& console, const Diff& job, bool verbose) {
    Printer printer(console, verbose);
    printer.part(job, {.depth = 0, .label = "Job"});
    return printer.take();
}

bool changes_allocations(const PlanView& plan) {
    return std::any_of(plan.updates.begin(), plan.updates.end(), [](const auto& entry) {
        const GroupUpdates& counts = entry.second;
        return counts.place + counts.stop + counts.migrate + counts.destructive > 0;
    });
}

}  // namespace gaggle::cli
