"""Our style sheets are valid CSS, and the check reports the line of invalid CSS."""

import pytest

from frontend.tests.stylesheets import declarations, faults, main, style_sheets

INVALID = {
    "a minute is no unit": ("a{animation:orbit 40min steps(1,end) infinite}", "no unit 'min'"),
    "in a function": ("a{width:calc(1px + 2pixels)}", "no unit 'pixels'"),
    "in brackets of a function": ("a{width:calc((2pixels + 1px) * 3)}", "no unit 'pixels'"),
    "in a custom property": (":root{--tap:3rm}", "no unit 'rm'"),
    "in a media query": ("@media (max-width:700pixel){a{margin:0}}", "no unit 'pixel'"),
    "in a rule of a media query": ("@media print{a:hover{margin:1foo}}", "no unit 'foo'"),
    "in a nested rule": ("a{margin:0;&:hover{margin:1foo}}", "no unit 'foo'"),
    "in key frames": ("@keyframes x{25%{translate:3pc 2p}}", "no unit 'p'"),
    "in a layer": ("@layer base{a{margin:1foo}}", "no unit 'foo'"),
    "no value": ("a{margin}", "line 1"),
    "no end of a string": ('a{content:"x\n}', "line 1"),
}


@pytest.mark.parametrize("css, said", INVALID.values(), ids=INVALID)
def test_faults__of_invalid_css__are_found(css, said):
    assert said in " ".join(faults(css))


def test_faults__of_invalid_css__name_the_line():
    assert faults("a{margin:0}\n\nb{margin:1foo}") == ["line 3: 1foo: CSS has no unit 'foo'"]


@pytest.mark.parametrize(
    "css",
    [
        "li:nth-child(2n+1){margin:-1.5em 3PX 0 calc(100vw / 3)}",
        "@media (min-resolution:2dppx) and (max-width:40rem){a{transition:color .2s,top 100ms}}",
        "@font-face{font-family:x;unicode-range:U+0000-00FF,U+20A0-20AB}",
        "a{background:url(data:image/png;base64,2xyz);grid-template-columns:1fr 50cqw}",
    ],
)
def test_faults__of_valid_css__are_none(css):
    assert faults(css) == []


def test_style_sheets__all_of_ours__are_valid():
    sheets = style_sheets()
    assert {"base.css", "lobby.css", "tokens.css"} <= {path.name for path in sheets}
    assert {path.name: found for path in sheets if (found := faults(path.read_text()))} == {}


def test_declarations__of_a_sheet__are_those_of_all_its_rules():
    css = "@font-face{src:url(x)}\na{--x:1px;margin:0}\n@media print{b{top:1px!important}}"
    assert list(declarations(css)) == [(2, "--x", "1px"), (2, "margin", "0"), (3, "top", "1px")]


def test_command__with_a_bad_file__reports_the_fault_and_fails(tmp_path, capsys):
    bad = tmp_path / "bad.css"
    bad.write_text("a{margin:1foo}")
    assert main([str(bad)]) == 1
    assert f"{bad}: line 1: 1foo" in capsys.readouterr().out
    assert main([]) == 0
