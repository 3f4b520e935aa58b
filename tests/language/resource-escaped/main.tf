resource "terraform_data" "a" {
  _ {
    input = "escaped"
  }
}

module "m" {
  source = "./child"

  _ {
    count = "an argument"
  }
}

output "values" {
  value = terraform_data.a.input
}
