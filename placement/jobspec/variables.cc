#include "placement/jobspec/variables.h"

#include "placement/jobspec/convert.h"
#include "placement/jobspec/hcl_lexer.h"
#include "placement/jobspec/hcl_parse.h"
#include "placement/jobspec/value_json.h"
#include "placement/jobspec/var_type.h"

namespace gaggle {

namespace {

const std::string kEnvironmentPrefix = "NOMAD_VAR_";

struct Variable {
    Position at;
    hcl::VarType type;
    std::optional<Value> value;
    bool broken = false;
};
using Variables = std::map<std::string, Variable>;

/// A name for use in messages.
std::string quoted(const std::string& name) { return "`" + name + "`"; }

class Resolver {
  public:
    Resolver(const VariableInputs& inputs, Diagnostics& diagnostics,
             std::vector<Diagnostic>& elsewhere)
        : inputs_(inputs), diagnostics_(diagnostics), elsewhere_(elsewhere) {}

    hcl::Scope run(const hcl::Body& file) {
        for (const hcl::Block& block : file.blocks) {
            if (block.type == "variable") declare(block);
            if (block.type == "variables") declare_all(block);
        }
        for (const auto& [name, text] : inputs_.environment) {
            if (!name.starts_with(kEnvironmentPrefix)) continue;
            const auto found = variables_.find(name.substr(kEnvironmentPrefix.size()));
            if (found != variables_.end()) give_text(found->second, text, name);
        }
        for (const VariableFile& one : inputs_.files) read_file(one);
        for (const auto& [name, text] : inputs_.arguments) {
            const std::string source = "-var " + name;
            const auto found = variables_.find(name);
            if (found != variables_.end())
                give_text(found->second, text, source);
            else
                undeclared(name, Position{0, 0}, source);
        }
        return scope();
    }

  private:
    void declare(const hcl::Block& block) {
        if (block.labels.size() != 1)
            return diagnostics_.error(block.at, "block `variable` needs one label, its name",
                                      "write `variable \"name\" { ... }`");
        Variable& variable = add(block.labels[0].text, block.at);
        for (const hcl::Block& inner : block.body.blocks)
            diagnostics_.error(inner.at,
                               inner.type == "validation"
                                   ? "`validation` of variables is not supported yet"
                                   : "unknown block " + quoted(inner.type) + " in variable");
        // The type first: it says how the default is to be read, wherever it stands.
        for (const hcl::Attribute& attribute : block.body.attributes) {
            if (attribute.name != "type") continue;
            const auto type = hcl::var_type(*attribute.value, diagnostics_);
            variable.broken = variable.broken || !type;
            if (type) variable.type = *type;
        }
        for (const hcl::Attribute& attribute : block.body.attributes) {
            if (attribute.name == "default")
                give(variable, *attribute.value, diagnostics_);
            else if (attribute.name != "type" && attribute.name != "description" &&
                     attribute.name != "sensitive")
                diagnostics_.error(
                    attribute.at, "unknown attribute " + quoted(attribute.name) + " in variable",
                    did_you_mean(attribute.name, {"type", "default", "description"}));
        }
    }

    /// `variables { name = value }`: several at once, of any type.
    void declare_all(const hcl::Block& block) {
        for (const hcl::Attribute& attribute : block.body.attributes)
            give(add(attribute.name, attribute.at), *attribute.value, diagnostics_);
        for (const hcl::Block& inner : block.body.blocks)
            diagnostics_.error(inner.at, "unknown block " + quoted(inner.type) + " in variables");
    }

    Variable& add(const std::string& name, Position at) {
        const auto [found, is_new] = variables_.try_emplace(name);
        if (!is_new)
            diagnostics_.error(at, "variable " + quoted(name) + " is declared twice",
                               "the first is on line " + std::to_string(found->second.at.line));
        else
            found->second.at = at;
        return found->second;
    }

    void give(Variable& variable, const hcl::Expression& expression, Diagnostics& diagnostics) {
        hcl::Scope nothing;
        nothing.variables_allowed = false;
        const auto value = hcl::Evaluator(nothing, diagnostics).value_of(expression);
        if (value)
            give(variable, *value, expression.at, diagnostics);
        else
            variable.broken = true;
    }

    void give(Variable& variable, const Value& value, Position at, Diagnostics& diagnostics) {
        auto fitting = hcl::converted(value, variable.type);
        variable.broken = variable.broken || !fitting.ok();
        if (fitting.ok())
            variable.value = *std::move(fitting);
        else
            diagnostics.error(at,
                              "value does not fit the variable's type: " + fitting.error().detail);
    }

    /// From the command line or the environment, `source` in messages.
    void give_text(Variable& variable, const std::string& text, const std::string& source) {
        using Kind = hcl::VarType::Kind;
        Diagnostics found(source);
        const Kind kind = variable.type.kind;
        if (text.size() > kJobSourceBytesMax || invalid_utf8(text) != std::string_view::npos) {
            found.error({0, 0}, "the value is no UTF-8 text of at most 1 MiB");
            variable.broken = true;
        } else if (kind == Kind::any || kind == Kind::string || kind == Kind::number) {
            give(variable, Value{text}, Position{0, 0}, found);
        } else if (const auto expression = hcl::parse_expression(text, found)) {
            give(variable, *expression, found);
        } else {
            variable.broken = true;
        }
        collect(found);
    }

    void read_file(const VariableFile& file) {
        Diagnostics found(file.name);
        const std::size_t first = file.text.find_first_not_of(" \t\r\n");
        if (file.text.size() > kJobSourceBytesMax ||
            invalid_utf8(file.text) != std::string_view::npos)
            found.error({0, 0}, "a file of variables is UTF-8 text of at most 1 MiB");
        else if (first != std::string::npos && file.text[first] == '{')
            read_json(file, found);
        else
            read_hcl(file, found);
        collect(found);
    }

    void read_hcl(const VariableFile& file, Diagnostics& found) {
        const hcl::Body body = hcl::parse_body(file.text, found);
        for (const hcl::Block& block : body.blocks)
            found.error(block.at,
                        "block " + quoted(block.type) + " has no place in a file of variables",
                        "write `name = value` lines");
        for (const hcl::Attribute& attribute : body.attributes) {
            const auto variable = variables_.find(attribute.name);
            if (variable == variables_.end())
                undeclared(attribute.name, attribute.at, file.name);
            else
                give(variable->second, *attribute.value, found);
        }
    }

    void read_json(const VariableFile& file, Diagnostics& found) {
        const auto value = value_from_json(file.text);
        if (!value.ok()) return found.error({0, 0}, value.error().detail);
        for (const auto& [name, item] : std::get<Value::Map>(value->data)) {
            const auto variable = variables_.find(name);
            if (variable == variables_.end())
                undeclared(name, Position{0, 0}, file.name);
            else
                give(variable->second, item, Position{0, 0}, found);
        }
    }

    void undeclared(const std::string& name, Position at, const std::string& source) {
        std::vector<std::string> known;
        for (const auto& [one, unused] : variables_) known.push_back(one);
        const std::string hint = did_you_mean(name, known);
        Diagnostics found(source);
        found.error(at, "variable " + quoted(name) + " is not declared in the job file",
                    hint.empty() ? "add a block: variable \"" + name + "\" {}" : hint);
        collect(found);
    }

    void collect(Diagnostics& found) {
        for (Diagnostic& one : found.take()) elsewhere_.push_back(std::move(one));
    }

    hcl::Scope scope() {
        hcl::Scope scope;
        for (const auto& [name, variable] : variables_) {
            if (variable.value && !variable.broken) {
                scope.variables.emplace(name, *variable.value);
                continue;
            }
            scope.broken.insert(name);
            if (!variable.broken)
                diagnostics_.error(variable.at, "variable " + quoted(name) + " has no value",
                                   "give it with -var " + name + "=..., with -var-file, or as " +
                                       kEnvironmentPrefix + name + " in the environment");
        }
        return scope;
    }

    const VariableInputs& inputs_;
    Diagnostics& diagnostics_;
    std::vector<Diagnostic>& elsewhere_;
    Variables variables_;
};

}  // namespace

hcl::Scope resolve_variables(const hcl::Body& file, const VariableInputs& inputs,
                             Diagnostics& diagnostics, std::vector<Diagnostic>& elsewhere) {
    return Resolver(inputs, diagnostics, elsewhere).run(file);
}

}  // namespace gaggle
