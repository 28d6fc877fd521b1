"""What the wheel holds; all else stands in pyproject.toml.

The dashboard lies at the top of the project and goes into the wheel as one package,
`ivan_dashboard`, so that nobody who installs IVAN has a package of so general a name as `pages`.
"""

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

DASHBOARD = "ivan_dashboard"


class OnlyTheApp(build_py):
    """Of the modules at the top of the project, the app alone."""

    def find_package_modules(self, package, package_dir):
        found = super().find_package_modules(package, package_dir)
        return [one for one in found if package != DASHBOARD or one[1] == "streamlit_app"]


setup(
    packages=[
        *find_packages(include=["ivan_core*"]),
        DASHBOARD,
        *(f"{DASHBOARD}.{name}" for name in find_packages(include=["pages*"])),
    ],
    package_dir={DASHBOARD: ".", f"{DASHBOARD}.pages": "pages"},
    cmdclass={"build_py": OnlyTheApp},
)
