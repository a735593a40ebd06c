"""Built-in rules in Python: one module and one page a rule id.

What the loader and the schemas report by themselves is listed in `gitops_guard.check.catalog`; its pages lie here too.
"""

from gitops_guard.model import Rule
from gitops_guard.rules.backend_port_missing import BackendPortMissing
from gitops_guard.rules.missing_config_key import MissingConfigKey
from gitops_guard.rules.missing_config_map import MissingConfigMap
from gitops_guard.rules.missing_role import MissingRole
from gitops_guard.rules.missing_secret import MissingSecret
from gitops_guard.rules.missing_service import MissingService
from gitops_guard.rules.missing_service_account import MissingServiceAccount
from gitops_guard.rules.missing_subject import MissingSubject
from gitops_guard.rules.missing_volume_claim import MissingVolumeClaim
from gitops_guard.rules.missing_workload import MissingWorkload
from gitops_guard.rules.misspelt_storage_class import MisspeltStorageClass
from gitops_guard.rules.network_policy_isolates_nothing import NetworkPolicyIsolatesNothing
from gitops_guard.rules.network_policy_selects_nothing import NetworkPolicySelectsNothing
from gitops_guard.rules.pdb_selects_nothing import PdbSelectsNothing
from gitops_guard.rules.reference import ReferenceRule
from gitops_guard.rules.service_port_missing import ServicePortMissing
from gitops_guard.rules.service_selects_nothing import ServiceSelectsNothing

REFERENCE_RULES: tuple[ReferenceRule, ...] = (
    BackendPortMissing(),
    MissingConfigKey(),
    MissingConfigMap(),
    MissingRole(),
    MissingSecret(),
    MissingService(),
    MissingServiceAccount(),
    MisspeltStorageClass(),
    MissingSubject(),
    MissingVolumeClaim(),
    MissingWorkload(),
    NetworkPolicyIsolatesNothing(),
    NetworkPolicySelectsNothing(),
    PdbSelectsNothing(),
    ServicePortMissing(),
    ServiceSelectsNothing(),
)
"""Rules that look at an object among those that it has to do with."""

RULES: tuple[Rule, ...] = REFERENCE_RULES
"""Every built-in rule object."""
