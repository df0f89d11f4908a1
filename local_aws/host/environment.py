"""The variables of its caller that a server keeps: what it needs to run, and nothing that is a credential."""

import os
import re
from collections.abc import Mapping

# pip and git need these to reach the network (certificates, proxy, package index).
NETWORK = re.compile(
    r"PIP_(INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|TRUSTED_HOST|CERT|CLIENT_CERT|DEFAULT_TIMEOUT|CONFIG_FILE|PROXY)"
    r"|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|GIT_SSL_CAINFO|(?i:https?_proxy|no_proxy)"
)
PIP_CONFIGURATIONS = (".config/pip/pip.conf", ".pip/pip.conf")
# The last line: where interpreters are found, and the settings of a container engine's command.
_KEPT = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|PYTHON\w+|COVERAGE_\w+|LOCAL_AWS_\w+|NODE_OPTIONS"
    r"|UV_PYTHON_INSTALL_DIR|PYENV_ROOT|XDG_DATA_HOME|XDG_RUNTIME_DIR|(BUILDAH|BUILDKIT|CONTAINERS?|DOCKER|STORAGE)_\w+"
)


def kept(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a server keeps.

    The others must not be in its process at all: what runs as the same user can read /proc/PID/environ.
    """
    return {
        name: value for name, value in variables.items() if _KEPT.fullmatch(name) or NETWORK.fullmatch(name)
    }


def drop_the_rest(command: list[str]) -> None:
    """Replace this process by `command` without the variables that are not kept, if it has any."""
    wanted = kept(os.environ)
    if wanted != dict(os.environ):
        os.execve(command[0], command, wanted)  # noqa: S606 - our own module, without a shell
