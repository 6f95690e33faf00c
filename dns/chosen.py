"""What a domain has chosen for its records, read beside the domain (select_related). Nothing is chosen for None."""

from domains.models import Domain


def chosen_mta_sts(domain: Domain | None) -> str:
    """Return the domain's MTA-STS mode, or "" where the installation's holds."""
    return domain.mta_sts.mode if domain and hasattr(domain, "mta_sts") else ""


def chosen_dmarc(domain: Domain | None) -> str:
    """Return the domain's DMARC policy: none until it has climbed."""
    return domain.dmarc_policy.policy if domain and hasattr(domain, "dmarc_policy") else "none"


def chosen_logo(domain: Domain | None) -> tuple[str, str]:
    """Return the addresses of the domain's logo and of its certificate, "" where there is none."""
    return (domain.logo.logo_url, domain.logo.certificate_url) if domain and hasattr(domain, "logo") else ("", "")
