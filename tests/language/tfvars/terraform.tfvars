from_tfvars        = "tfvars"
auto_wins          = "tfvars"
later_auto_wins    = 1
null_takes_default = null
null_stays         = null
