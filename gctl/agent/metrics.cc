#include "gctl/agent/metrics.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace gaggle {

namespace {

/// Letters, digits and underscores, not beginning with a digit.
std::string plain_name(std::string name) {
    for (char& letter : name) {
        const bool fine = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                          (letter >= '0' && letter <= '9') || letter == '_';
        if (!fine) letter = '_';
    }
    return name.empty() || (name[0] >= '0' && name[0] <= '9') ? "_" + name : name;
}

std::string escaped(const std::string& text) {
    std::string out;
    for (const char letter : text) {
        if (letter == '\\' || letter == '"') out += '\\';
        out += letter == '\n' ? "\\n" : std::string(1, letter);
    }
    return out;
}

std::string number_text(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    std::array<char, 32> text{};
    const auto done = std::to_chars(text.data(), text.data() + text.size(), value);
    return {text.data(), done.ptr};
}

}  // namespace

std::string prometheus_text(const std::vector<Metric>& metrics) {
    std::vector<const Metric*> ordered;
    for (const Metric& metric : metrics) ordered.push_back(&metric);
    std::stable_sort(ordered.begin(), ordered.end(),
                     [](const Metric* a, const Metric* b) { return a->name < b->name; });
    std::string out;
    std::string last;
    for (const Metric* metric : ordered) {
        const std::string name = plain_name(metric->name);
        if (name != last)
            out += "# TYPE " + name +
                   (metric->kind == Metric::Kind::counter ? " counter\n" : " gauge\n");
        last = name;
        std::string labels;
        for (const auto& [key, value] : metric->labels)
            labels += (labels.empty() ? "" : ",") + plain_name(key) + "=\"" + escaped(value) + "\"";
        out += name + (labels.empty() ? "" : "{" + labels + "}") + " " +
               number_text(metric->value) + "\n";
    }
    return out;
}

Value render_metrics_summary(const std::vector<Metric>& metrics, WallTime now) {
    List gauges;
    List counters;
    for (const Metric& metric : metrics) {
        Object one{{"Name", val(metric.name)}, {"Labels", val(metric.labels)}};
        if (metric.kind == Metric::Kind::gauge) {
            one["Value"] = val(metric.value);
            gauges.push_back(val(std::move(one)));
        } else {
            for (const char* name : {"Sum", "Min", "Max", "Mean"}) one[name] = val(metric.value);
            one["Count"] = val(1);
            one["Rate"] = val(0.0);
            one["Stddev"] = val(0.0);
            counters.push_back(val(std::move(one)));
        }
    }
    return val(Object{{"Gauges", val(std::move(gauges))},
                      {"Counters", val(std::move(counters))},
                      {"Points", val(List{})},
                      {"Samples", val(List{})},
                      {"Timestamp", moment(now)}});
}

}  // namespace gaggle
