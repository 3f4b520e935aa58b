resource "terraform_data" "own_name" {
  lifecycle {
    precondition {
      condition     = terraform_data.own_name.id == "x"
      error_message = "A cycle."
    }
  }
}

resource "terraform_data" "after" {
  lifecycle {
    postcondition {
      condition     = terraform_data.after.id == "x"
      error_message = "Named by itself."
    }
  }
}

resource "terraform_data" "argument" {
  input = terraform_data.argument.id
}
