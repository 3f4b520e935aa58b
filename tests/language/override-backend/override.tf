terraform {
  backend "local" {
    path = "b"
  }
}
