package opener

// Kinds and the routes are held against the contract.
var Kinds = kinds
