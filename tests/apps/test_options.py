"""Every way to use a tool wrongly, the help pages, and that DCMTK's spellings are known."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from importlib import import_module

import pytest

from dicomwire.apps.options import OnlyOne, ToolParser
from tests.apps.conftest import Tool

pytestmark = pytest.mark.no_socket

TOOLS = ("echoscu", "echoscp", "storescu", "storescp", "findscu", "getscu", "movescu", "qrscp")
SCU = ["127.0.0.1", "104"]


def parser_of(name: str) -> ToolParser:
    parser: ToolParser = import_module(f"dicomwire.apps.{name}").make_parser()
    return parser


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["echoscu"], "required: addr, port"),
        (["echoscu", "127.0.0.1"], "required: port"),
        (["echoscu", *SCU, "--foo"], "unrecognized arguments: --foo"),
        (["echoscu", *SCU, "--call", "X", "--acse-timout", "5"], "is it --acse-timeout? Usage: "),
        (["storescp", "0", "--output-dir", "x"], "is it --output-directory? Usage: "),
        (["echoscu", "127.0.0.1", "0"], "'0' is not a whole number from 1 to 65535"),
        (["echoscu", "127.0.0.1", "65536"], "'65536' is not a whole number from 1 to 65535"),
        (["echoscu", "127.0.0.1", "dicom"], "'dicom' is not a whole number from 1 to 65535"),
        (["echoscu", *SCU, "-aet", "SEVENTEEN_LETTERS"], "is no AE title: give 1 to 16"),
        (["echoscu", *SCU, "-aec", "  "], "is no AE title"),
        (["echoscu", *SCU, "-aec", "A\\B"], "is no AE title"),
        (["echoscu", *SCU, "-ta", "-1"], "'-1' is not a number of seconds"),
        (["echoscu", *SCU, "-ta", "soon"], "'soon' is not a number of seconds"),
        (["echoscu", *SCU, "-ta", "nan"], "'nan' is not a number of seconds"),
        (["echoscu", *SCU, "-pdu", "5"], "'5' is not a whole number from 1024 to 4294967295, or 0"),
        (["echoscu", *SCU, "-pdu", "x"], "'x' is not a whole number"),
        (["echoscu", *SCU, "--repeat", "0"], "'0' is not a whole number of 1 or more"),
        (["echoscu", *SCU, "-ll", "loud"], "'loud' is not one of critical"),
        (["echoscu", *SCU, "-xe", "-xi"], "-xi contradicts an option before it"),
        (["echoscu", *SCU, "-lc", "file"], "-lc cannot be honoured: the log has no"),
        (["storescu", *SCU], "required: path"),
        (["storescu", *SCU, "x", "+II"], "+II cannot be honoured: objects are sent as they are"),
        (["storescu", *SCU, "x", "--jobs", "0"], "'0' is not a whole number from 1 to 64"),
        (["storescu", *SCU, "/no/such"], "there is no file or folder /no/such"),
        (["storescp"], "required: port"),
        (["storescp", "70000"], "'70000' is not a whole number from 0 to 65535"),
        (["storescp", "0", "-su", "study"], "-su cannot be honoured: all files go into one folder"),
        (["storescp", "0", "-xcr", "rm"], "-xcr cannot be honoured: no commands are run"),
        (["storescp", "0", "-fe", "/../x"], "-fe /../x is a path"),
        (["storescp", "0", "-fe", "\\x"], "-fe \\x is a path"),
        (["qrscp", "70000"], "'70000' is not a whole number from 0 to 65535"),
        (["qrscp", "--port", "x"], "'x' is not a whole number from 0 to 65535"),
        (["qrscp", "-ZA"], "-ZA cannot be honoured: objects are sent to the peers of the file"),
        (["qrscp", "-c", "/no/such"], "/no/such cannot be read: No such file"),
        (["qrscp", "--only-known"], "--only-known: nobody is known; name peers in a file"),
        (["echoscp", "x"], "'x' is not a whole number from 0 to 65535"),
    ],
)
def test_wrong_use_is_one_line_that_says_what_to_type(
    tool: Tool, argv: list[str], said: str
) -> None:
    run = tool(*argv)
    assert run.code == 2
    assert len(run.lines) == 1
    assert run.lines[0].startswith("E: ")
    assert said in run.lines[0]


@pytest.mark.parametrize("name", TOOLS)
def test_the_example_can_be_typed(tool: Tool, name: str) -> None:
    example = tool(name, "--help").out.splitlines()[-1].split()[3:]
    assert parser_of(name).read(example).port


@pytest.mark.parametrize("name", [each for each in TOOLS if each != "echoscp"])
def test_every_option_of_dcmtk_is_known(name: str, peer_program: Callable[[str], str]) -> None:
    # one that is not honoured says why, which an unknown one could not
    program = peer_program({"qrscp": "dcmqrscp"}.get(name, name))
    page = subprocess.run([program, "--help"], capture_output=True, text=True).stdout
    rows = re.findall(r"^ +([-+]\S+)? +(--[a-z0-9-]+)", page, re.MULTILINE)
    spelled = {each for row in rows for each in row if each} - {"--help-all", "--convert-to-xxx"}
    assert len(spelled) > 40
    assert spelled - set(parser_of(name)._option_string_actions) == set()


# pynetdicom 3.0.4, https://pydicom.github.io/pynetdicom/stable/apps/
PYNETDICOM = {
    "echoscu": "-aet --calling-aet -aec --called-aet -xe --request-little -xb --request-big -xi "
    "--request-implicit --repeat --abort",
    "echoscp": "-aet --ae-title -ba --bind-address -x= --prefer-uncompr -xe --prefer-little -xb "
    "--prefer-big -xi --implicit",
    "storescu": "-r --recurse -aet --calling-aet -aec --called-aet -xe --request-little -xb "
    "--request-big -xi --request-implicit -cx --required-contexts",
    "findscu": "-aet --calling-aet -aec --called-aet -P --patient -S --study -O --psonly -W "
    "--worklist -U --ups -k --keyword -f --file -w --write --relational-query --dt-matching "
    "--fuzzy-names --timezone-adj --enhanced-conversion",
    "getscu": "-aet --calling-aet -aec --called-aet -P --patient -S --study -O --psonly -k "
    "--keyword -f --file --relational-retrieval --enhanced-conversion -od --output-directory "
    "--ignore",
    "movescu": "-aet --calling-aet -aec --called-aet -aem --move-aet -P --patient -S --study -O "
    "--psonly -k --keyword -f --file --store --store-port --store-aet --relational-retrieval "
    "--enhanced-conversion -od --output-directory --ignore",
    "qrscp": "-c --config --port -aet --ae-title -ba --bind-address --database-location "
    "--instance-location --clean",
    "storescp": "-aet --ae-title -ba --bind-address -x= --prefer-uncompr -xe --prefer-little -xb "
    "--prefer-big -xi --implicit -od --output-directory --ignore --no-echo",
}
EVERYWHERE = """--version -q --quiet -v --verbose -d --debug -ll --log-level -ta --acse-timeout -td
    --dimse-timeout -tn --network-timeout -pdu --max-pdu"""


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.box("16.1")
def test_every_option_of_pynetdicom_is_known(name: str) -> None:
    spelled = {*PYNETDICOM[name].split(), *EVERYWHERE.split()}
    assert spelled - set(parser_of(name)._option_string_actions) == set()


def test_zero_is_no_time_out() -> None:
    args = parser_of("echoscu").read([*SCU, "-ta", "0", "-td", "2.5"])
    assert (args.acse_timeout, args.dimse_timeout, args.network_timeout) == (None, 2.5, 30.0)


@pytest.mark.box("16.1")
def test_the_defaults_are_pynetdicoms() -> None:
    args = parser_of("storescu").read([*SCU, "x"])
    assert (args.calling_aet, args.called_aet, args.max_pdu) == ("STORESCU", "ANY-SCP", 16382)
    assert not args.recurse


def test_options_may_stand_between_arguments() -> None:
    args = parser_of("storescu").read(["host", "-v", "104", "a", "+r", "b"])
    assert (args.addr, args.port, args.path, args.recurse) == ("host", 104, ["a", "b"], True)


def test_saying_the_same_twice_is_no_contradiction() -> None:
    args = parser_of("echoscu").read([*SCU, "-xi", "--request-implicit"])
    assert args.proposed == (("1.2.840.10008.1.2",),)


def test_a_value_may_be_chosen_once(capsys: pytest.CaptureFixture[str]) -> None:
    parser = ToolParser("x", "x", "x", "x")
    parser.add_argument("-a", action=OnlyOne, nargs=0, const=1, dest="n")
    parser.add_argument("-b", action=OnlyOne, nargs=0, const=2, dest="n")
    with pytest.raises(SystemExit):
        parser.read(["-a", "-b"])
    assert "-b contradicts" in capsys.readouterr().err
