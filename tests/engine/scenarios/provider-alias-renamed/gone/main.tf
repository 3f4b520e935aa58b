provider "test" {
  alias = "new"
}
