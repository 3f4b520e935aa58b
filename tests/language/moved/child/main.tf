resource "terraform_data" "inside" {}

moved {
  from = terraform_data.before
  to   = terraform_data.inside
}
