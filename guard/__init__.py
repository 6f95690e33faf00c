"""The guard of header From: a milter before the signer that lets nobody send under an address that is not theirs."""
