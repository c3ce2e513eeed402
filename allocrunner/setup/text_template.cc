#include "allocrunner/setup/text_template.h"

#include <vector>

#include "allocrunner/setup/template_functions.h"
#include "allocrunner/setup/template_parse.h"

namespace gaggle::setup {

namespace {

constexpr int kCallDepthMax = 50;
constexpr std::size_t kBytesPerStep = 8;

/// Whether a range goes on after one of its rounds.
enum class Flow { on, stop, next };

/// What a function reads of an argument.
std::size_t weight(const Datum& value) {
    if (const auto* text = value.text()) return text->size() / kBytesPerStep;
    if (const auto* list = value.list()) return list->size();
    if (const auto* map = value.map()) return map->fields.size();
    return 0;
}

/// What a function has made: all that nobody else holds, to its depth, with the room that it takes.
std::size_t weight_made(const Datum& value) {
    constexpr std::size_t kItem = sizeof(Datum) / kBytesPerStep;
    std::size_t out = weight(value);
    const auto* list = std::get_if<Datum::List>(&value.data);
    if (list != nullptr && list->use_count() == 1)
        for (const Datum& item : **list) out += kItem + weight_made(item);
    const auto* map = std::get_if<Datum::Map>(&value.data);
    if (map != nullptr && map->use_count() == 1)
        for (const auto& [key, item] : (*map)->fields)
            out += kItem + key.size() / kBytesPerStep + weight_made(item);
    return out;
}

class Renderer {
  public:
    Renderer(const ParsedTemplate& parsed, const TemplateWorld& world)
        : parsed_(parsed), world_(world) {}

    Result<Rendered> run() {
        TRY(block(parsed_.main, {}));
        return std::move(out_);
    }

  private:
    Result<void> work(Place place, std::uint64_t steps = 1) {
        steps_ += steps;
        if (steps_ <= kTemplateWorkMax) return {};
        return error_at(place, "the template does more than " + std::to_string(kTemplateWorkMax) +
                                   " steps; it loops over too much");
    }

    static Error within(Place place, const std::string& what, const Error& error) {
        return error_at(place, what + ": " + error.detail);
    }

    Result<Flow> block(const Block& statements, const Datum& dot) {
        const std::size_t variables = variables_.size();
        Flow flow = Flow::on;
        for (const Statement& one : statements) {
            flow = TRY(statement(one, dot));
            if (flow != Flow::on) break;
        }
        variables_.resize(variables);
        return flow;
    }

    Result<Flow> statement(const Statement& one, const Datum& dot) {
        TRY(work(one.place));
        switch (one.kind) {
            case Statement::Kind::text: TRY(print(one.place, one.text)); break;
            case Statement::Kind::print: {
                const Datum value = TRY(pipeline(one.pipeline, dot));
                if (one.pipeline.declared.empty()) {
                    const Result<std::string> text = to_text(value);
                    if (!text.ok()) return within(one.place, "print", text.error());
                    TRY(print(one.place, *text));
                }
                // A declaration holds until the block around it ends.
                break;
            }
            case Statement::Kind::branch:
            case Statement::Kind::with: return branch(one, dot);
            case Statement::Kind::range: return range(one, dot);
            case Statement::Kind::call: TRY(call_template(one, dot)); break;
            case Statement::Kind::stop: return Flow::stop;
            case Statement::Kind::next: return Flow::next;
        }
        return Flow::on;
    }

    Result<void> print(Place place, std::string_view text) {
        TRY(work(place, text.size() / kBytesPerStep));
        const Result<void> added = append_bounded(out_.text, text);
        return added.ok() ? added : error_at(place, added.error().detail);
    }

    Result<Flow> branch(const Statement& one, const Datum& dot) {
        const std::size_t variables = variables_.size();
        const Datum value = TRY(pipeline(one.pipeline, dot));
        const bool taken = is_true(value);
        const bool moves = taken && one.kind == Statement::Kind::with;
        const Flow flow = TRY(block(taken ? one.body : one.otherwise, moves ? value : dot));
        variables_.resize(variables);
        return flow;
    }

    Result<Flow> range(const Statement& one, const Datum& dot) {
        const std::size_t variables = variables_.size();
        const Datum all = TRY(pipeline(one.pipeline, dot, Declares::later));
        std::size_t rounds = 0;
        Result<bool> done = rounds_over(one, all, rounds);
        if (!done.ok()) return done.error();
        variables_.resize(variables);
        if (rounds > 0) return Flow::on;
        const Flow flow = TRY(block(one.otherwise, dot));
        return flow;
    }

    Result<bool> rounds_over(const Statement& one, const Datum& all, std::size_t& rounds) {
        if (const DatumList* list = all.list()) {
            for (const Datum& item : *list)
                if (!TRY(round(one, {static_cast<std::int64_t>(rounds++)}, item))) break;
            return true;
        }
        const DatumMap* map = all.map();
        if (map != nullptr && *map->type == '\0') {
            for (const auto& [key, item] : map->fields) {
                ++rounds;
                if (!TRY(round(one, {key}, item))) break;
            }
            return true;
        }
        if (const auto* count = all.whole()) {
            for (std::int64_t at = 0; at < *count; ++at) {
                ++rounds;
                if (!TRY(round(one, {at}, {at}))) break;
            }
            return true;
        }
        if (all.is_none()) return true;
        return error_at(one.pipeline.place,
                        std::string("range wants a list or a map, not ") + kind_of(all));
    }

    /// False when the body said break.
    Result<bool> round(const Statement& one, const Datum& index, const Datum& item) {
        TRY(work(one.place));
        const std::size_t variables = variables_.size();
        const auto& names = one.pipeline.declared;
        if (names.size() == 2) set(names[0], index, one.pipeline.assigns);
        if (!names.empty()) set(names.back(), item, one.pipeline.assigns);
        const Flow flow = TRY(block(one.body, item));
        variables_.resize(variables);
        return flow != Flow::stop;
    }

    Result<void> call_template(const Statement& one, const Datum& dot) {
        const auto found = parsed_.named.find(one.text);
        if (found == parsed_.named.end())
            return error_at(one.place, "template \"" + one.text + "\" is not defined");
        Datum argument;
        if (!one.pipeline.commands.empty()) argument = TRY(pipeline(one.pipeline, dot));
        return render_named(one.place, found->second, argument);
    }

    Result<void> render_named(Place place, const Block& body, const Datum& argument) {
        if (++calls_ > kCallDepthMax)
            return error_at(place, "templates call one another too deeply");
        std::vector<Variable> around = std::exchange(variables_, {{"$", argument}});
        TRY(block(body, argument));
        variables_ = std::move(around);
        --calls_;
        return {};
    }

    /// `executeTemplate "name" argument`: what the template prints, as a value.
    Result<Datum> execute_template(const Operand& function, std::span<const Operand> words,
                                   const Datum& dot, const Datum* piped) {
        std::vector<Datum> values;
        for (const Operand& word : words) values.push_back(TRY(evaluate(word, dot)));
        if (piped != nullptr) values.push_back(*piped);
        const std::string* name = values.empty() ? nullptr : values.front().text();
        if (name == nullptr || values.size() > 2)
            return error_at(function.place,
                            "function executeTemplate: wants a template's name, and perhaps what "
                            "is to be its dot");
        const auto found = parsed_.named.find(*name);
        if (found == parsed_.named.end())
            return error_at(function.place,
                            "function executeTemplate: template \"" + *name + "\" is not defined");
        std::string before = std::exchange(out_.text, {});
        TRY(render_named(function.place, found->second, values.size() == 2 ? values[1] : Datum{}));
        return Datum{std::exchange(out_.text, std::move(before))};
    }

    enum class Declares { at_once, later };

    Result<Datum> pipeline(const Pipeline& one, const Datum& dot,
                           Declares when = Declares::at_once) {
        Datum value;
        const Datum* piped = nullptr;
        for (const Command& command : one.commands) {
            value = TRY(run(command, dot, piped));
            piped = &value;
        }
        if (when == Declares::at_once)
            for (const std::string& name : one.declared) set(name, value, one.assigns);
        return value;
    }

    void set(const std::string& name, const Datum& value, bool assigns) {
        for (std::size_t at = variables_.size(); assigns && at > 0; --at)
            if (variables_[at - 1].name == name) {
                variables_[at - 1].value = value;
                return;
            }
        variables_.push_back({name, value});
    }

    Result<Datum> run(const Command& command, const Datum& dot, const Datum* piped) {
        const Operand& first = command.words.front();
        TRY(work(first.place));
        const std::span<const Operand> rest(command.words.begin() + 1, command.words.end());
        if (first.kind == Operand::Kind::function && first.fields.empty())
            return call(first, rest, dot, piped);
        if (rest.empty() && piped == nullptr) return evaluate(first, dot);
        return error_at(first.place, "a value cannot be given arguments; only functions can");
    }

    Result<Datum> call(const Operand& function, std::span<const Operand> words, const Datum& dot,
                       const Datum* piped) {
        if (function.name == "and" || function.name == "or")
            return decide(function, words, dot, piped);
        if (function.name == "executeTemplate")
            return execute_template(function, words, dot, piped);
        const TemplateFunction* found = find_function(function.name);
        INVARIANT(found != nullptr);  // the parser has asked
        std::vector<Datum> values;
        for (const Operand& word : words) values.push_back(TRY(evaluate(word, dot)));
        if (piped != nullptr) values.push_back(*piped);
        const auto count = static_cast<int>(values.size());
        if (count < found->least || (found->most >= 0 && count > found->most))
            return error_at(function.place, wants(function.name, *found, count));
        for (const Datum& value : values) TRY(work(function.place, weight(value)));
        const TemplateWorld& world = world_;
        Result<Datum> result = found->run({values, world, out_.needs});
        if (!result.ok())
            return within(function.place, "function " + function.name, result.error());
        TRY(work(function.place, weight_made(*result)));
        return result;
    }

    static std::string wants(const std::string& name, const TemplateFunction& function, int count) {
        std::string wanted = std::to_string(function.least);
        if (function.most < 0) wanted = "at least " + wanted;
        if (function.most > function.least) wanted += " to " + std::to_string(function.most);
        return "function " + name + ": wants " + wanted + " arguments and has " +
               std::to_string(count);
    }

    /// `and` gives the first false argument, `or` the first true one, else the last.
    Result<Datum> decide(const Operand& function, std::span<const Operand> words, const Datum& dot,
                         const Datum* piped) {
        const bool ends = function.name == "or";
        Datum value;
        for (const Operand& word : words) {
            value = TRY(evaluate(word, dot));
            if (is_true(value) == ends) return value;
        }
        if (piped != nullptr) return *piped;
        if (words.empty())
            return error_at(function.place, "function " + function.name + ": wants arguments");
        return value;
    }

    Result<Datum> evaluate(const Operand& word, const Datum& dot) {
        Datum value;
        switch (word.kind) {
            case Operand::Kind::literal: return word.literal;
            case Operand::Kind::dot: value = dot; break;
            case Operand::Kind::variable: value = value_of(word.name); break;
            case Operand::Kind::group: value = TRY(pipeline(word.group.front(), dot)); break;
            case Operand::Kind::function: value = TRY(call(word, {}, dot, nullptr)); break;
        }
        for (const std::string& field : word.fields)
            value = TRY(field_of(value, field, word.place));
        return value;
    }

    Datum value_of(const std::string& variable) const {
        for (auto one = variables_.rbegin(); one != variables_.rend(); ++one)
            if (one->name == variable) return one->value;
        return {};
    }

    Result<Datum> field_of(const Datum& value, const std::string& field, Place place) const {
        const DatumMap* map = value.map();
        if (map == nullptr && !value.is_none())
            return error_at(place, std::string(kind_of(value)) + " has no field ." + field);
        if (map != nullptr) {
            const auto found = map->fields.find(field);
            if (found != map->fields.end()) return found->second;
            if (*map->type != '\0') return error_at(place, no_field(*map, field));
        }
        if (!world_.error_on_missing_key) return Datum{};
        return error_at(place, "there is no key \"" + field + "\" (error_on_missing_key is set)");
    }

    static std::string no_field(const DatumMap& record, const std::string& field) {
        std::string known;
        for (const auto& [name, value] : record.fields)
            known += (known.empty() ? "." : ", .") + name;
        return std::string(record.type) + " has no field ." + field + "; it has " + known;
    }

    struct Variable {
        std::string name;
        Datum value;
    };

    const ParsedTemplate& parsed_;
    const TemplateWorld& world_;
    std::vector<Variable> variables_{{"$", {}}};
    std::uint64_t steps_ = 0;
    int calls_ = 0;
    Rendered out_;
};

}  // namespace

Result<TextTemplate> TextTemplate::parse(std::string_view text, const Delimiters& delimiters) {
    if (text.size() > kTemplateTextMax)
        return {Errc::invalid, "a template of " + std::to_string(text.size()) + " bytes; " +
                                   std::to_string(kTemplateTextMax) + " are allowed"};
    TextTemplate out;
    out.parsed_ = std::make_shared<const ParsedTemplate>(TRY(parse_template(
        text, delimiters, [](const std::string& name) { return is_template_function(name); })));
    return out;
}

Result<Rendered> TextTemplate::render(const TemplateWorld& world) const {
    return Renderer(*parsed_, world).run();
}

}  // namespace gaggle::setup
