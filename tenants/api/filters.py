"""What lists of everything that tenants own may be narrowed by."""

from mailhost.api.lists import Filter
from tenants.references import of_tenant

OF_TENANT = Filter("tenant", "Only those of this tenant, without those of tenants below: `ten_…`.", of_tenant)
