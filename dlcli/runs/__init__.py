"""Everything that touches the folder of runs: run directories, records, locks and the ledger of looks."""
