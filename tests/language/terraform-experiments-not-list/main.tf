terraform {
  experiments = variable_validation
  language    = TF2021
}
